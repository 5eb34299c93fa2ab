#include "cli/line_printer.h"

#include <cerrno>

#include "cli/line_text.h"
#include "cli/output.h"

namespace tailrace {
namespace {

// MSG of `TIME APP[PROCID]: MSG`, whose first three parts have no blanks in them.
std::string_view message_of(std::string_view line) {
  const size_t time = line.find(' ');
  const size_t source = time == line.npos ? line.npos : line.find(' ', time + 1);
  return source == line.npos ? line : line.substr(source + 1);
}

}  // namespace

void append_shown(std::string& out, std::string& aside, const SessionItem& item, const LineLook& look) {
  const bool notice = !item.number;
  const bool raw = look.form == LineForm::raw && !notice;
  const std::string_view text = raw ? message_of(item.text) : item.text;
  const std::string harmless = look.terminal ? visible(text) : std::string();
  const std::string_view shown = look.terminal ? harmless : text;
  std::string& where = look.form == LineForm::raw && notice ? aside : out;
  if (look.color && look.form == LineForm::text) {
    where += colored(shown);
  } else {
    where += shown;
  }
  if (!shown.ends_with('\n')) where += '\n';
}

bool LinePrinter::finish() {
  if (!aside_.empty()) write_stderr(aside_);
  aside_.clear();
  if (out_.empty()) return true;
  const bool written = write_stdout(out_);
  if (!written && errno != EPIPE) trouble_ = errno;
  out_.clear();
  return written;
}

void LinePrinter::tell(const std::string& text) {
  if (!quiet_) complain(one_line(text));
}

}  // namespace tailrace
