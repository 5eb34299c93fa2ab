#include "metrics/exposition.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t kPart = 64 * 1024;

std::string_view type_name(FamilyType type) {
  switch (type) {
    case FamilyType::counter:
      return "counter";
    case FamilyType::gauge:
      return "gauge";
    case FamilyType::histogram:
      return "histogram";
    case FamilyType::summary:
      return "summary";
  }
  return "unknown";
}

// Quotes stay as they are in the text format's HELP lines, and nowhere else.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  while (true) {
    const size_t at = text.find_first_of(quotes ? "\\\n\"" : "\\\n");
    out += text.substr(0, at);
    if (at == std::string_view::npos) return;
    out += '\\';
    out += text[at] == '\n' ? 'n' : text[at];
    text.remove_prefix(at + 1);
  }
}

// One value that is no UTF-8 would cost the scraper the whole scrape: its bytes beyond ASCII are shown as
// `\xff`.
void append_value(std::string& out, std::string_view value) {
  if (is_utf8(value)) return append_escaped(out, value, true);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string shown;
  for (const char c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80)
      shown += c;
    else
      ((shown += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
  }
  append_escaped(out, shown, true);
}

/// Of a name without `_total`; empty: it has none.
std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"})
    if (name.size() > unit.size() && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_')
      return unit;
  return {};
}

}  // namespace

std::string_view content_type(ExpositionFormat format) {
  return format == ExpositionFormat::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

ExpositionFormat format_for(std::string_view accept) {
  double best_text = -1, best_open = -1;
  for_each_piece(accept, ',', [&](std::string_view range) {
    std::string_view type;
    double quality = 1;
    bool first = true, version_fits = true;
    for_each_piece(range, ';', [&](std::string_view part) {
      if (first) type = part;
      first = false;
      if (part.size() > 2 && iequals(part.substr(0, 2), "q="))
        if (std::from_chars(part.data() + 2, part.data() + part.size(), quality).ec != std::errc{})
          quality = 0;
      if (part.size() > 8 && iequals(part.substr(0, 8), "version=")) {
        const std::string_view version = part.substr(8);
        version_fits = iequals(type, "application/openmetrics-text")
                           ? version == "1.0.0" || version == "0.0.1"
                           : version == "0.0.4";
      }
    });
    if (!version_fits) return;
    if (iequals(type, "application/openmetrics-text")) best_open = std::max(best_open, quality);
    if (iequals(type, "text/plain") || type == "*/*" || iequals(type, "text/*"))
      best_text = std::max(best_text, quality);
  });
  return best_open > 0 && best_open >= best_text ? ExpositionFormat::openmetrics
                                                 : ExpositionFormat::prometheus_text;
}

std::string_view number_text(double value, std::span<char> room) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Counts read better as 1000000 than as 1e+06.
  const bool whole = std::abs(value) < 1e15 && value == std::trunc(value);
  char *begin = room.data(), *limit = begin + room.size();
  const auto [end, error] =
      whole ? std::to_chars(begin, limit, static_cast<int64_t>(value)) : std::to_chars(begin, limit, value);
  return error == std::errc{} ? std::string_view(begin, end) : "NaN";
}

ExpositionWriter::ExpositionWriter(ExpositionFormat format, Sink sink)
    : format_(format), sink_(std::move(sink)) {
  out_.reserve(kPart + 4096);
}

void ExpositionWriter::family(std::string_view name, FamilyType type, std::string_view help) {
  name_ = name;
  type_ = type;
  help_ = help;
  announced_ = false;
}

void ExpositionWriter::begin_line(std::string_view suffix, std::span<const Label> labels) {
  if (!announced_) {
    const bool open = format_ == ExpositionFormat::openmetrics;
    std::string_view name = name_;
    if (open && type_ == FamilyType::counter && name.ends_with("_total")) name.remove_suffix(6);
    out_.append("# HELP ").append(name).append(" ");
    append_escaped(out_, help_, open);
    out_.append("\n# TYPE ").append(name).append(" ").append(type_name(type_)).append("\n");
    if (const std::string_view unit = unit_of(name); open && !unit.empty())
      out_.append("# UNIT ").append(name).append(" ").append(unit).append("\n");
    announced_ = true;
  }
  out_.append(name_).append(suffix);
  char before = '{';
  for (const Label& label : labels) {
    out_ += before;
    out_.append(label.name).append("=\"");
    append_value(out_, label.value);
    out_ += '"';
    before = ',';
  }
  out_ += labels.empty() ? " " : "} ";
}

void ExpositionWriter::write(uint64_t value) {
  std::array<char, 24> room;
  out_.append(room.data(), std::to_chars(room.data(), room.data() + room.size(), value).ptr);
}

void ExpositionWriter::write(double value) {
  std::array<char, 32> room;
  out_ += number_text(value, room);
}

/// ` # {request_id="…"} 0.018 1795257600.123456`
void ExpositionWriter::write(const ShownExemplar& exemplar) {
  out_.append(" # {").append(exemplar.label.name).append("=\"");
  append_value(out_, exemplar.label.value);
  out_ += "\"} ";
  write(exemplar.value);
  std::array<char, 24> room;
  char* const end = room.data() + room.size();
  out_ += ' ';
  out_.append(room.data(), std::to_chars(room.data(), end, exemplar.time / 1'000'000).ptr);
  // The millionths, with the zeros before them: those of a million more.
  const auto millionths = std::to_chars(room.data(), end, 1'000'000 + exemplar.time % 1'000'000);
  room[0] = '.';
  out_.append(room.data(), millionths.ptr);
}

void ExpositionWriter::end_line() {
  out_ += '\n';
  if (out_.size() < kPart) return;
  sink_(out_);
  out_.clear();
}

void ExpositionWriter::sample(std::string_view suffix, Labels labels, uint64_t value) {
  begin_line(suffix, {labels.begin(), labels.size()});
  write(value);
  end_line();
}

void ExpositionWriter::sample(std::string_view suffix, Labels labels, double value) {
  sample(suffix, std::span<const Label>(labels.begin(), labels.size()), value);
}

void ExpositionWriter::sample(std::string_view suffix, std::span<const Label> labels, double value) {
  begin_line(suffix, labels);
  write(value);
  end_line();
}

void ExpositionWriter::bucket(Labels labels, uint64_t value, const ShownExemplar* exemplar) {
  begin_line("_bucket", {labels.begin(), labels.size()});
  write(value);
  if (exemplar && format_ == ExpositionFormat::openmetrics) write(*exemplar);
  end_line();
}

void ExpositionWriter::finish() {
  if (format_ == ExpositionFormat::openmetrics) out_ += "# EOF\n";
  if (!out_.empty()) sink_(out_);
  out_.clear();
}

}  // namespace tailrace
