#include "cli/command.h"

#include <algorithm>

#include "cli/exit_code.h"
#include "cli/output.h"

namespace tailrace {
namespace {

// Edits to get from `a` to `b`; two letters swapped are one (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      rows[i][j] =
          std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.size() > 40) return best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t d = distance(word, candidate);
    if (d < least) least = d, best = candidate;
  }
  return best;
}

CommandLine::CommandLine(std::string_view command, std::string_view summary, std::string_view examples)
    : command_(command), summary_(summary), examples_(examples) {
  app_.set_help_flag("-h,--help", "this text");
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    CLI::Formatter formatter;
    formatter.column_width(28);
    std::string options = formatter.make_groups(&app_, CLI::AppFormatMode::Normal);
    while (options.starts_with('\n')) options.erase(0, 1);
    const bool written =
        write_stdout(examples_ + "\ntailrace " + command_ + ": " + summary_ + "\n\n" + options);
    return written ? exit_ok : exit_failure;
  } catch (const CLI::ExtrasError&) {
    const std::string extra = app_.remaining().empty() ? "" : app_.remaining().front();
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    const std::string meant = nearest(extra, names);
    return usage_error(extra + ": not known" + (meant.empty() ? "" : ", did you mean " + meant + "?"));
  } catch (const CLI::ParseError& failed) {
    return usage_error(failed.what());
  }
}

int CommandLine::usage_error(std::string_view text) const {
  complain(command_ + ": " + std::string(text) + " (see tailrace " + command_ + " --help)");
  return exit_usage;
}

int run_verbs(std::string_view command, std::string_view summary, std::string_view examples,
              const std::vector<Command>& verbs, int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  const std::string command_line(command);
  if (name == "--help" || name == "-h") {
    std::string text = std::string(examples) + "\ntailrace " + command_line + ": " + std::string(summary) + "\n\n";
    for (const Command& verb : verbs) {
      text += "  " + std::string(verb.name) + std::string(10 - verb.name.size(), ' ') +
              std::string(verb.summary) + "\n";
    }
    text += "\ntailrace " + command_line + " VERB --help has the options of each.\n";
    return write_stdout(text) ? exit_ok : exit_failure;
  }
  std::vector<std::string> names;
  std::string list;
  for (const Command& verb : verbs) {
    if (verb.name == name) return verb.run(argc - 1, argv + 1);
    list += (names.empty() ? "" : &verb == &verbs.back() ? " or " : ", ") + std::string(verb.name);
    names.emplace_back(verb.name);
  }
  const std::string meant = nearest(name, names);
  complain(command_line + ": " +
           (name.empty() ? list + "?"
                         : std::string(name) + ": not known" + (meant.empty() ? "" : ", did you mean " + meant + "?")) +
           " (see tailrace " + command_line + " --help)");
  return exit_usage;
}

int not_built_yet(std::string_view what) {
  complain(std::string(what) + ": not built yet");
  return exit_usage;
}

}  // namespace tailrace
