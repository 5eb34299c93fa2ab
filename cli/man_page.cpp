#include "cli/man_page.h"

#include <cctype>

#include "cli/exit_code.h"
#include "cli/help_text.h"
#include "cli/settings.h"
#include "cli/version.h"

namespace tailrace {
namespace {

void append_unicode(std::string& out, std::string_view sequence) {
  uint32_t code = uint8_t(sequence[0]) & (0xff >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) code = code << 6 | (uint8_t(c) & 0x3f);
  constexpr char digits[] = "0123456789ABCDEF";
  out += "\\[u";
  for (int shift = code > 0xffff ? 20 : 12; shift >= 0; shift -= 4) out += digits[code >> shift & 15];
  out += ']';
}

/// Text that roff shows as it is: no escape, no ligature of its own, ASCII.
std::string escaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '"') {
      out += "\\(dq";
    } else if (uint8_t(c) >= 0xc0) {
      size_t end = i + 1;
      while (end < text.size() && (uint8_t(text[end]) & 0xc0) == 0x80) ++end;
      append_unicode(out, text.substr(i, end - i));
      i = end - 1;
    } else {
      out += c;
    }
  }
  return out;
}

/// A line that begins with a control character is a request.
std::string guarded(std::string line) {
  return line.starts_with('.') || line.starts_with("\\(aq") ? "\\&" + line : line;
}

std::string paragraph(std::string_view text) {
  std::string out, line;
  for (const char c : wrapped(escaped(text), 0, 76) + "\n") {
    line += c;
    if (c == '\n') out += guarded(std::move(line)), line.clear();
  }
  return out;
}

/// As it stands, in the font of a terminal.
std::string verbatim(std::string_view text) {
  std::string out = ".PP\n.nf\n";
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += guarded(escaped(text.substr(0, end))) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + ".fi\n";
}

std::string tagged(const std::string& tag, std::string_view text) {
  return ".TP\n.B " + escaped(tag) + "\n" + paragraph(text);
}

/// The examples without what says that they are some.
std::string_view without_title(std::string_view examples) {
  constexpr std::string_view title = "examples:\n";
  return examples.starts_with(title) ? examples.substr(title.size()) : examples;
}

void write_command(std::string& out, const CommandDescription& command) {
  out += ".SS tailrace " + escaped(command.name) + "\n" +
         paragraph(command.summary.empty() ? command.brief : command.summary);
  if (!command.examples.empty()) out += verbatim(without_title(command.examples));
  for (const OptionDescription& option : command.options) out += tagged(usage_of(option), meaning_of(option));
  for (const CommandDescription& verb : command.verbs) write_command(out, verb);
}

std::string setting_text(const SettingSpec& spec) {
  if (spec.kind == SettingSpec::unbuilt) return "Not built yet.";
  std::string text = std::string(spec.help) + ". Takes " + std::string(spec.takes) + ".";
  if (!spec.standard.empty()) text += " Default: " + std::string(spec.standard) + ".";
  if (spec.kind == SettingSpec::limit)
    text += " May change while the router runs: TAILRACE_LIMITS_FILE, SIGHUP.";
  text[0] = char(std::toupper(uint8_t(text[0])));
  return text;
}

void write_environment(std::string& out) {
  out += ".SH ENVIRONMENT\n" +
         paragraph(
             "Of serve, demo and check, each with a flag of the same name: TAILRACE_HTTP_LISTEN is also "
             "--http-listen. A flag goes before the environment.");
  for (const SettingSpec& spec : setting_specs()) {
    out += tagged(std::string(spec.variable), setting_text(spec));
    if (spec.kind == SettingSpec::secret)
      out += tagged(std::string(spec.variable) + "_FILE",
                    "A file that holds the value of " + std::string(spec.variable) + ".");
  }
  out +=
      tagged("PORT", "The public listener's, on all addresses, unless TAILRACE_HTTP_LISTEN is set.") +
      tagged("STATE_DIRECTORY", "The data dir, unless TAILRACE_DATA_DIR is set; systemd sets it.") + ".PP\n" +
      paragraph("Of the commands that talk to a router:") +
      tagged("TAILRACE_URL", "Its admin listener. Default: the running demo's, else http://127.0.0.1:8001.") +
      tagged("TAILRACE_AUTH, TAILRACE_AUTH_FILE", "The credential to show there, user:password.") +
      tagged("TAILRACE_APP", "The channel that is meant without -a, by id or name.") +
      tagged("NO_COLOR", "No colour, unless --color says otherwise.");
}

}  // namespace

std::string man_page(const std::vector<CommandDescription>& commands) {
  std::string out = ".TH TAILRACE 1 " + version_date() + " \"tailrace " + version_number() +
                    "\" \"User Commands\"\n" +
                    ".SH NAME\ntailrace \\- log router and metrics pipeline\n"
                    ".SH SYNOPSIS\n.B tailrace\n.I command\n.RI [ verb ]\n.RI [ options ]\n"
                    ".SH DESCRIPTION\n" +
                    paragraph(
                        "tailrace routes logs from apps to drains and tails, and makes metrics of them: what "
                        "Logplex, log-shuttle and l2met did, in one program.");
  for (const CommandDescription& command : commands) out += tagged(command.name, command.brief + ".");
  out += ".SH COMMANDS\n";
  for (const CommandDescription& command : commands) write_command(out, command);
  write_environment(out);
  out += ".SH FILES\n" +
         tagged("/var/lib/tailrace",
                "Where systemd's STATE_DIRECTORY usually puts the data dir: segments of records, "
                "the catalog, positions, metrics over time, the admin's credential.") +
         tagged("$XDG_RUNTIME_DIR/tailrace-demo.json",
                "How the commands find a running demo and its credential.") +
         ".SH EXIT STATUS\n";
  for (const ExitMeaning& meaning : exit_meanings) out += tagged(std::to_string(meaning.code), meaning.text);
  return out;
}

}  // namespace tailrace
