#include "web/rollup_answer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/time_text.h"
#include "web/json_body.h"

namespace tailrace {
namespace {

struct Field {
  std::string_view name;
  double (*value)(const Cell&);
};
constexpr std::array<Field, 8> kFields = {{
    {"sum", [](const Cell& c) { return c.sum(); }},
    {"min", [](const Cell& c) { return c.min(); }},
    {"max", [](const Cell& c) { return c.max(); }},
    {"mean", [](const Cell& c) { return c.mean(); }},
    {"median", [](const Cell& c) { return c.quantile(0.5); }},
    {"p95", [](const Cell& c) { return c.quantile(0.95); }},
    {"p99", [](const Cell& c) { return c.quantile(0.99); }},
    {"last", [](const Cell& c) { return c.last(); }},
}};

void append_count(std::string& out, uint64_t count) {
  out += std::to_string(count);
}

/// The shortest text that reads back as the same number; `none` for what JSON has no number for.
void append_number(std::string& out, double value, std::string_view none) {
  char text[32];
  if (!std::isfinite(value)) {
    out += none;
    return;
  }
  const auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
  out.append(text, end);
}

/// Any bytes, also those that are no UTF-8, as a JSON string.
std::string json_text(std::string_view text) {
  return dumped(std::string(text));
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_point(std::string& out, Micros time, const Cell& cell) {
  out += R"({"time":")" + rfc3339_json(time) + R"(","count":)";
  append_count(out, cell.count());
  for (const Field& field : kFields) {
    out += ",\"";
    out += field.name;
    out += "\":";
    append_number(out, field.value(cell), "null");
  }
  out += '}';
}

}  // namespace

std::string rollup_json(const RollupQuery& query, const RollupSteps& steps,
                        const RollupStore::Answer& answer) {
  std::string out = R"({"from":")" + rfc3339_json(query.from) + R"(","to":")" + rfc3339_json(query.to) +
                    R"(","step":)" + std::to_string(query.step / 1'000'000) + R"(,"series":[)";
  bool first_series = true;
  for (const auto& [name, points] : steps.series) {
    out += first_series ? "\n" : ",\n";
    first_series = false;
    out += R"({"name":)" + json_text(name.name) + R"(,"source":)" + json_text(name.source) + R"(,"unit":)" +
           json_text(name.unit) + R"(,"kind":")";
    out += series_kind_name(name.kind);
    out += R"(","points":[)";
    bool first_point = true;
    for (const auto& [time, cell] : points) {
      if (!first_point) out += ',';
      first_point = false;
      append_point(out, time, cell);
    }
    out += "]}";
  }
  out += R"(],"late":)" + std::to_string(answer.late) + R"(,"whole_from":")" +
         rfc3339_json(steps.whole_from) + R"(","events":[)";
  bool first_event = true;
  for (const PlatformMark& mark : answer.marks) {
    out += first_event ? "\n" : ",\n";
    first_event = false;
    out += R"({"time":")" + rfc3339_json(mark.time) + R"(","event":)" +
           json_text(platform_event_name(mark.event)) + R"(,"procid":)" + json_text(mark.procid) +
           R"(,"text":)" + json_text(mark.text) + '}';
  }
  out += "]}\n";
  return out;
}

std::string rollup_csv(const RollupSteps& steps) {
  std::string out = "time,name,source,unit,kind,count";
  for (const Field& field : kFields) {
    out += ',';
    out += field.name;
  }
  out += "\r\n";
  for (const auto& [name, points] : steps.series)
    for (const auto& [time, cell] : points) {
      out += rfc3339_json(time);
      for (const std::string_view text : {std::string_view(name.name), std::string_view(name.source),
                                          std::string_view(name.unit), series_kind_name(name.kind)}) {
        out += ',';
        append_csv(out, text);
      }
      out += ',';
      append_count(out, cell.count());
      for (const Field& field : kFields) {
        out += ',';
        append_number(out, field.value(cell), "");
      }
      out += "\r\n";
    }
  return out;
}

}  // namespace tailrace
