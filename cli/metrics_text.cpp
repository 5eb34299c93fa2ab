#include "cli/metrics_text.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace tailrace {
namespace {

constexpr size_t most_labels = 16;

/// `"value"` with its escapes, taken off `line`.
std::optional<std::string> take_quoted(std::string_view& line) {
  if (!line.starts_with('"')) return std::nullopt;
  std::string value;
  for (size_t i = 1; i < line.size(); ++i) {
    char c = line[i];
    if (c == '"') {
      line.remove_prefix(i + 1);
      return value;
    }
    if (c == '\\') {
      if (++i == line.size()) break;
      c = line[i] == 'n' ? '\n' : line[i];
    }
    value += c;
  }
  return std::nullopt;
}

bool take_labels(std::string_view& line, MetricSample& sample) {
  while (!line.starts_with('}')) {
    const size_t equals = line.find('=');
    if (equals == line.npos || sample.labels.size() == most_labels) return false;
    const std::string_view name = line.substr(0, equals);
    line.remove_prefix(equals + 1);
    auto value = take_quoted(line);
    if (!value) return false;
    sample.labels.emplace_back(name, std::move(*value));
    if (line.starts_with(',')) line.remove_prefix(1);
  }
  line.remove_prefix(1);
  return true;
}

bool read_number(std::string_view text, double& out) {
  if (text == "NaN") return out = NAN, true;
  if (text == "+Inf" || text == "-Inf") return out = text[0] == '+' ? INFINITY : -INFINITY, true;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

void read_line(std::string_view line, const std::function<void(const MetricSample&)>& use) {
  if (line.empty() || line[0] == '#') return;
  MetricSample sample;
  const size_t name = line.find_first_of("{ ");
  if (name == line.npos || name == 0) return;
  sample.name = line.substr(0, name);
  line.remove_prefix(name);
  if (line[0] == '{') {
    line.remove_prefix(1);
    if (!take_labels(line, sample)) return;
  }
  if (!line.starts_with(' ')) return;
  line.remove_prefix(1);
  // A time may follow, or an exemplar.
  if (read_number(line.substr(0, line.find(' ')), sample.value)) use(sample);
}

}  // namespace

std::string_view MetricSample::label(std::string_view wanted) const {
  for (const auto& [its_name, its_value] : labels)
    if (its_name == wanted) return its_value;
  return {};
}

void for_each_sample(std::string_view text, const std::function<void(const MetricSample&)>& use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    read_line(text.substr(0, end), use);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace tailrace
