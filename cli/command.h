#pragma once
// What all commands share: how they are called, and how help and usage errors look.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace {

struct CommandDescription;

struct Command {
  std::string_view name, summary;
  int (*run)(int argc, char** argv);  // argv[0] is the command's name; null: not built yet
};

/// All of them, in the order of `tailrace help`.
const std::vector<Command>& commands();

const Command* find_command(const std::vector<Command>& all, std::string_view name);
std::vector<std::string> names_of(const std::vector<Command>& all);

/// The candidate that was most likely meant; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// `, did you mean WORD?`, or nothing if nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// One command's options, with help that starts with examples and goes to stdout, and errors that name the
/// command. An option of a fixed choice says so with CLI::IsMember: completion and errors know its values.
class CommandLine {
 public:
  CommandLine(std::string_view command, std::string_view summary, std::string_view examples);

  CLI::App& options() { return app_; }

  /// The exit code if the command ends here: help was asked for, the usage is wrong, or a Recorder listens.
  std::optional<int> parse(int argc, char** argv);
  /// Says what is wrong on stderr; returns exit_usage.
  int usage_error(std::string_view text) const;

 private:
  CommandDescription description();
  int refuse(const CLI::ParseError& error);

  std::string command_, summary_, examples_;
  CLI::App app_;
};

/// A command whose first word is one of its verbs. Each verb's CommandLine is named `COMMAND VERB`.
int run_verbs(std::string_view command, std::string_view summary, std::string_view examples,
              const std::vector<Command>& verbs, int argc, char** argv);

/// `tailrace: WHAT: not built yet` on stderr; returns exit_usage.
int not_built_yet(std::string_view what);

}  // namespace tailrace
