#include "metrics/exposition.h"

#include <doctest/doctest.h>

#include <array>
#include <clocale>
#include <limits>
#include <string>

#include "metrics/own_counters.h"
#include "metrics/process_families.h"

using namespace tailrace;

namespace {

template <class F>
std::string written(ExpositionFormat format, F&& write) {
  std::string out;
  ExpositionWriter writer(format, [&](std::string_view part) { out += part; });
  write(writer);
  writer.finish();
  return out;
}

std::string number(double value) {
  std::array<char, 32> room;
  return std::string(number_text(value, room));
}

}  // namespace

TEST_CASE("a family has its head once, and none without samples") {
  const auto write = [](ExpositionWriter& out) {
    out.family("empty_total", FamilyType::counter, "Nothing.");
    out.family("a_total", FamilyType::counter, "Back\\slash, new\nline and \"quotes\".");
    out.sample({{"channel", "1"}}, uint64_t{18446744073709551615u});
    out.sample({{"channel", "a\\b\"c\nd"}, {"code", "H12"}}, 1.5);
    out.family("b", FamilyType::histogram, "B.");
    out.sample("_bucket", {{"le", "+Inf"}}, uint64_t{2});
    out.sample("_sum", {}, 0.001);
    out.sample("_count", {}, uint64_t{2});
  };
  CHECK(written(ExpositionFormat::prometheus_text, write) ==
        "# HELP a_total Back\\\\slash, new\\nline and \"quotes\".\n"
        "# TYPE a_total counter\n"
        "a_total{channel=\"1\"} 18446744073709551615\n"
        "a_total{channel=\"a\\\\b\\\"c\\nd\",code=\"H12\"} 1.5\n"
        "# HELP b B.\n"
        "# TYPE b histogram\n"
        "b_bucket{le=\"+Inf\"} 2\n"
        "b_sum 0.001\n"
        "b_count 2\n");
  CHECK(written(ExpositionFormat::openmetrics, write) ==
        "# HELP a Back\\\\slash, new\\nline and \\\"quotes\\\".\n"
        "# TYPE a counter\n"
        "a_total{channel=\"1\"} 18446744073709551615\n"
        "a_total{channel=\"a\\\\b\\\"c\\nd\",code=\"H12\"} 1.5\n"
        "# HELP b B.\n"
        "# TYPE b histogram\n"
        "b_bucket{le=\"+Inf\"} 2\n"
        "b_sum 0.001\n"
        "b_count 2\n"
        "# EOF\n");
}

TEST_CASE("OpenMetrics names units, by the end of a name") {
  const auto write = [](ExpositionWriter& out) {
    out.family("cpu_seconds_total", FamilyType::counter, "C.");
    out.sample({}, uint64_t{1});
    out.family("a_bytes", FamilyType::gauge, "B.");
    out.sample({}, uint64_t{2});
    out.family("kilobytes", FamilyType::gauge, "K.");
    out.sample({}, uint64_t{3});
  };
  CHECK(written(ExpositionFormat::openmetrics, write) ==
        "# HELP cpu_seconds C.\n# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\ncpu_seconds_total 1\n"
        "# HELP a_bytes B.\n# TYPE a_bytes gauge\n# UNIT a_bytes bytes\na_bytes 2\n"
        "# HELP kilobytes K.\n# TYPE kilobytes gauge\nkilobytes 3\n# EOF\n");
  CHECK(written(ExpositionFormat::prometheus_text, write).find("UNIT") == std::string::npos);
}

TEST_CASE("a value that is no UTF-8 does not cost the scrape") {
  const auto write = [](ExpositionWriter& out) {
    out.family("a", FamilyType::gauge, "A.");
    out.sample({{"name", "caf\xc3\xa9"}}, uint64_t{1});
    out.sample({{"name", "caf\xe9\"\n"}}, uint64_t{2});
    out.sample({{"name", std::string_view("\0", 1)}}, uint64_t{3});
  };
  CHECK(
      written(ExpositionFormat::prometheus_text, write) ==
      std::string("# HELP a A.\n# TYPE a gauge\na{name=\"caf\xc3\xa9\"} 1\na{name=\"caf\\\\xe9\\\"\\n\"} 2\n"
                  "a{name=\"") +
          '\0' + "\"} 3\n");
}

TEST_CASE("an exemplar stands behind its bucket in OpenMetrics alone") {
  const auto write = [](ExpositionWriter& out) {
    const ShownExemplar exemplar{{"request_id", "a\"}\\1"}, 0.018, 1'795'257'600'000'123};
    out.family("b", FamilyType::histogram, "B.");
    out.bucket({{"channel", "1"}, {"le", "0.025"}}, 1, &exemplar);
    out.bucket({{"channel", "1"}, {"le", "+Inf"}}, 1, nullptr);
  };
  CHECK(written(ExpositionFormat::prometheus_text, write) ==
        "# HELP b B.\n# TYPE b histogram\n"
        "b_bucket{channel=\"1\",le=\"0.025\"} 1\n"
        "b_bucket{channel=\"1\",le=\"+Inf\"} 1\n");
  CHECK(written(ExpositionFormat::openmetrics, write) ==
        "# HELP b B.\n# TYPE b histogram\n"
        "b_bucket{channel=\"1\",le=\"0.025\"} 1 # {request_id=\"a\\\"}\\\\1\"} 0.018 1795257600.000123\n"
        "b_bucket{channel=\"1\",le=\"+Inf\"} 1\n# EOF\n");
}

TEST_CASE("numbers are short and know no locale") {
  const char* before = std::setlocale(LC_ALL, "de_DE.UTF-8");
  CHECK(number(0) == "0");
  CHECK(number(1) == "1");
  CHECK(number(0.001) == "0.001");
  CHECK(number(0.1) == "0.1");
  CHECK(number(2.5) == "2.5");
  CHECK(number(-2) == "-2");
  CHECK(number(1000000) == "1000000");
  CHECK(number(1.5e300) == "1.5e+300");
  CHECK(number(std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(number(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(number(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(number(-std::numeric_limits<double>::max()).size() < 32);
  if (before) std::setlocale(LC_ALL, "C");
}

TEST_CASE("a large scrape comes in parts") {
  size_t parts = 0, largest = 0, total = 0;
  ExpositionWriter out(ExpositionFormat::prometheus_text, [&](std::string_view part) {
    ++parts;
    largest = std::max(largest, part.size());
    total += part.size();
  });
  out.family("x", FamilyType::gauge, "X.");
  for (uint64_t i = 0; i < 100'000; ++i) out.sample({{"channel", "1"}}, i);
  out.finish();
  CHECK(parts > 10);
  CHECK(largest < 70'000);
  CHECK(total > 1'000'000);
}

TEST_CASE("the Accept header chooses the format") {
  using enum ExpositionFormat;
  CHECK(format_for("") == prometheus_text);
  CHECK(format_for("*/*") == prometheus_text);
  CHECK(format_for("text/plain") == prometheus_text);
  CHECK(format_for("application/openmetrics-text") == openmetrics);
  CHECK(format_for("application/json") == prometheus_text);
  // What Prometheus 2.42 and 3 send.
  CHECK(format_for(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1") == openmetrics);
  CHECK(format_for("text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0;q=0.5") ==
        prometheus_text);
  CHECK(format_for("application/openmetrics-text;version=2.0.0") == prometheus_text);
  CHECK(format_for("application/openmetrics-text;q=0") == prometheus_text);
}

TEST_CASE("the process's own counters, in a fixed order") {
  OwnCounters counters;
  auto& added = prometheus::BuildCounter()
                    .Name("tailrace_ingest_rejected_total")
                    .Help("Records turned away, by reason.")
                    .Register(counters.registry());
  added.Add({{"protocol", "udp"}, {"reason", "unknown_token"}}).Increment(2);
  added.Add({{"protocol", "http"}, {"reason", "truncated"}}).Increment(2);
  added.Add({{"protocol", "http"}, {"reason", "malformed"}}).Increment(3);
  counters.tail_opened();
  counters.tail_opened();
  counters.tail_closed();
  const std::string text =
      written(ExpositionFormat::prometheus_text, [&](ExpositionWriter& out) { counters.write(out); });
  CHECK(text ==
        "# HELP tailrace_ingest_rejected_total Records turned away, by reason.\n"
        "# TYPE tailrace_ingest_rejected_total counter\n"
        "tailrace_ingest_rejected_total{protocol=\"http\",reason=\"malformed\"} 3\n"
        "tailrace_ingest_rejected_total{protocol=\"http\",reason=\"truncated\"} 2\n"
        "tailrace_ingest_rejected_total{protocol=\"udp\",reason=\"unknown_token\"} 2\n"
        "# HELP tailrace_tail_sessions Readers that follow a channel now.\n"
        "# TYPE tailrace_tail_sessions gauge\n"
        "tailrace_tail_sessions 1\n"
        "# HELP tailrace_tail_skipped_records_total Records that readers were too slow for.\n"
        "# TYPE tailrace_tail_skipped_records_total counter\n"
        "tailrace_tail_skipped_records_total 0\n");
}

TEST_CASE("the process is described") {
  const std::string text = written(ExpositionFormat::prometheus_text, write_process_families);
  for (const char* family :
       {"tailrace_build_info{version=\"", "\nprocess_cpu_seconds_total ", "\nprocess_resident_memory_bytes ",
        "\nprocess_virtual_memory_bytes ", "\nprocess_threads 1\n", "\nprocess_start_time_seconds ",
        "\nprocess_open_fds ", "\nprocess_max_fds "})
    CHECK_MESSAGE(text.find(family) != std::string::npos, family);
}
