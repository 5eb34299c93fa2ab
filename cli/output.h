#pragma once
// stdout and stderr of the commands: whole lines at once, quiet when the reader of a pipe is gone.

#include <string_view>

namespace tailrace {

/// Writes all of `bytes` to stdout, past any buffer. False: the reader is gone (errno is EPIPE) or the disk
/// is full; nothing is said about it, the caller ends with the exit code that fits.
[[nodiscard]] bool write_stdout(std::string_view bytes);

/// The same for stderr, whose failures nobody could be told of.
void write_stderr(std::string_view bytes);

/// Before anything else is opened: where stdin, stdout or stderr is closed, nothing else takes its number.
/// What reads or writes such a one is told EBADF.
void open_standard_streams();

/// `tailrace: TEXT` and a newline on stderr, in one write.
void complain(std::string_view text);

/// Ends the process with exit 0 as soon as nobody reads stdout any more (`… | head -1` on a quiet channel).
/// No effect unless stdout is a pipe or socket. Call it once; its thread lives as long as the process.
void exit_when_stdout_closes();

/// ^C ends the process where it stands, with its exit code. For commands that keep nothing back.
void exit_on_interrupt();

enum class ColorChoice { automatic, always, never };

/// `automatic`: stdout is a TTY, TERM is not dumb and NO_COLOR is unset or empty (no-color.org).
bool use_color(ColorChoice choice);
bool stdout_is_tty();

}  // namespace tailrace
