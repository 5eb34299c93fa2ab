#pragma once
// What `logs` does to the bytes of a stream: lines from chunks, colour by source, harmless on a terminal.

#include <string>
#include <string_view>

namespace tailrace {

/// Puts lines together again whatever the chunks were. A line is handed on once its newline is there.
class LineBuffer {
 public:
  /// All lines that are whole now, each with its newline; valid until the next call.
  std::string_view add(std::string_view chunk);
  /// What is left without a newline, at the end of the stream.
  std::string_view rest() const { return rest_; }
  void clear() { rest_.clear(); }

 private:
  std::string whole_, rest_;
};

/// Control characters as `^[`, `^?`; C1 controls (raw or in UTF-8) as `\x9b`, what reorders or breaks lines
/// as
/// `\u202e`: a log line must not drive a terminal. Tabs, newlines and valid UTF-8 stay.
std::string visible(std::string_view text);

/// The same, with a blank for each tab and newline: a text of somebody else's in a line of ours.
std::string one_line(std::string_view text);

/// The part of `TIME APP[PROCID]: MSG` that names its source, `APP[PROCID]`; empty if the line has none.
std::string_view line_source(std::string_view line);

/// The SGR parameters of a source, such as `38;5;32`: the same source, the same colour, in every run. At
/// least twelve, readable on light and on dark.
std::string_view source_color(std::string_view source);

/// The line with `TIME APP[PROCID]:` in its source's colour; a line without a source comes back as it is.
std::string colored(std::string_view line);

}  // namespace tailrace
