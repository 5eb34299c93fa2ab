#pragma once
// A scrape, written as it goes: Prometheus's text format 0.0.4 and OpenMetrics 1.0.
//
//   ExpositionWriter out(ExpositionFormat::prometheus_text, [&](std::string_view part) { body += part; });
//   out.family("tailrace_channel_records_total", FamilyType::counter, "Records accepted.");
//   out.sample({{"channel", "7"}}, 12);
//   out.finish();

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

enum class ExpositionFormat { prometheus_text, openmetrics };
enum class FamilyType { counter, gauge, histogram, summary };

/// The Content-Type that goes with a format, and the format that an Accept header prefers (none or anything:
/// text).
std::string_view content_type(ExpositionFormat format);
ExpositionFormat format_for(std::string_view accept);

struct Label {
  std::string_view name, value;  // the value may hold any bytes; it is escaped when written
};

/// What stands behind a sample as its example; OpenMetrics alone shows it. Names and values of its labels
/// have at most 128 characters together; here it is one label.
struct ShownExemplar {
  Label label;
  double value = 0;
  Micros time = 0;
};

/// One scrape; one thread. Hands on what it has in parts of about 64 KiB, so a scrape of any size takes
/// little memory.
///
/// All samples of a family follow its family() call, and no family is begun twice. A family without a sample
/// leaves no trace. Names are the text format's: a counter's ends in `_total`, also for OpenMetrics, whose
/// TYPE and HELP lines lack it, and which names the unit of what ends in `_seconds` or `_bytes`. The values
/// of `le` and `quantile` look the same in both (`1`, not `1.0`), so that a query does not depend on what a
/// scraper negotiated.
class ExpositionWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  using Labels = std::initializer_list<Label>;

  ExpositionWriter(ExpositionFormat format, Sink sink);
  ExpositionWriter(const ExpositionWriter&) = delete;
  ExpositionWriter& operator=(const ExpositionWriter&) = delete;

  /// Begins a family. `name` and `help` must live until the next family or finish().
  void family(std::string_view name, FamilyType type, std::string_view help);

  /// A line of the family; `suffix` is `_bucket`, `_sum`, `_count` or nothing.
  void sample(Labels labels, uint64_t value) { sample({}, labels, value); }
  void sample(Labels labels, double value) { sample({}, labels, value); }
  void sample(std::string_view suffix, Labels labels, uint64_t value);
  void sample(std::string_view suffix, Labels labels, double value);
  void sample(std::string_view suffix, std::span<const Label> labels, double value);
  /// A `_bucket` of a histogram, with an exemplar or null.
  void bucket(Labels labels, uint64_t value, const ShownExemplar* exemplar);

  /// Ends the scrape. Nothing may follow.
  void finish();

 private:
  void begin_line(std::string_view suffix, std::span<const Label> labels);
  void write(uint64_t value);
  void write(double value);
  void write(const ShownExemplar& exemplar);
  void end_line();

  const ExpositionFormat format_;
  const Sink sink_;
  std::string out_;
  std::string_view name_, help_;
  FamilyType type_ = FamilyType::gauge;
  bool announced_ = false;  // the family's HELP and TYPE lines are written
};

/// The shortest text that reads back as `value`, in no locale, whole numbers below 1e15 in full: `0.001`,
/// `1000000`, `1e+20`, `NaN`, `+Inf`. `room` has at least 32 bytes.
std::string_view number_text(double value, std::span<char> room);

}  // namespace tailrace
