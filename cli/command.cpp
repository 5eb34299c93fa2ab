#include "cli/command.h"

#include <algorithm>

#include "cli/description.h"
#include "cli/exit_code.h"
#include "cli/help_text.h"
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

/// The words of an error of CLI::IsMember: `--output: jsno not in {text,json}`.
std::string refused_choice(std::string_view error, const std::vector<OptionDescription>& options) {
  for (const OptionDescription& option : options) {
    for (const std::string& name : option.names) {
      const size_t end = error.rfind(" not in {");
      if (option.choices.empty() || end == error.npos || !error.starts_with(name + ": ")) continue;
      const std::string value(error.substr(name.size() + 2, end - name.size() - 2));
      return name + " takes " + either(option.choices) + ", not " + value +
             did_you_mean(value, option.choices);
    }
  }
  return std::string(error);
}

}  // namespace

const Command* find_command(const std::vector<Command>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &Command::name);
  return found == all.end() ? nullptr : &*found;
}

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

std::vector<std::string> names_of(const std::vector<Command>& all) {
  std::vector<std::string> names;
  for (const Command& command : all) names.emplace_back(command.name);
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return meant.empty() ? "" : ", did you mean " + meant + "?";
}

CommandLine::CommandLine(std::string_view command, std::string_view summary, std::string_view examples)
    : command_(command), summary_(summary), examples_(examples) {
  app_.set_help_flag("-h,--help", "this text");
}

CommandDescription CommandLine::description() {
  return {command_, "", summary_, examples_, describe_options(app_), {}};
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  if (Recorder* recorder = Recorder::listening()) {
    recorder->take(description());
    return exit_ok;
  }
  try {
    app_.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return write_stdout(help_text(description())) ? exit_ok : exit_failure;
  } catch (const CLI::ParseError& failed) {
    return refuse(failed);
  }
}

int CommandLine::refuse(const CLI::ParseError& error) {
  const std::vector<OptionDescription> options = describe_options(app_);
  const std::vector<std::string> extras = app_.remaining();
  // A mistyped option comes before all that lacks because of it.
  if (!extras.empty() && (extras.front().starts_with('-') || dynamic_cast<const CLI::ExtrasError*>(&error))) {
    const std::string given = extras.front().substr(0, extras.front().find('='));
    std::vector<std::string> names;
    for (const OptionDescription& option : options)
      for (const std::string& name : option.names)
        if (name.starts_with("--")) names.push_back(name);
    return usage_error(given + ": not known" + did_you_mean(given, names));
  }
  return usage_error(refused_choice(error.what(), options));
}

int CommandLine::usage_error(std::string_view text) const {
  complain(command_ + ": " + std::string(text) + " (see tailrace " + command_ + " --help)");
  return exit_usage;
}

int run_verbs(std::string_view command, std::string_view summary, std::string_view examples,
              const std::vector<Command>& verbs, int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  const bool help = name == "--help" || name == "-h";
  if (help || Recorder::listening()) {
    CommandDescription group{std::string(command), "", std::string(summary), std::string(examples), {}, {}};
    for (const Command& verb : verbs) group.verbs.push_back(describe(verb));
    if (help) return write_stdout(help_text(group)) ? exit_ok : exit_failure;
    Recorder::listening()->take(std::move(group));
    return exit_ok;
  }
  if (const Command* verb = find_command(verbs, name)) return verb->run(argc - 1, argv + 1);
  const std::vector<std::string> names = names_of(verbs);
  complain(
      std::string(command) + ": " +
      (name.empty() ? either(names) + "?" : std::string(name) + ": not known" + did_you_mean(name, names)) +
      " (see tailrace " + std::string(command) + " --help)");
  return exit_usage;
}

int not_built_yet(std::string_view what) {
  complain(std::string(what) + ": not built yet");
  return exit_usage;
}

}  // namespace tailrace
