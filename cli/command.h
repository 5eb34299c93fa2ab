#pragma once
// What all commands share: how they are called, and how help and usage errors look.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace {

struct Command {
  std::string_view name, summary;
  int (*run)(int argc, char** argv);  // argv[0] is the command's name; null: not built yet
};

/// All of them, in the order of `tailrace help`.
const std::vector<Command>& commands();

/// The candidate that was most likely meant; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// One command's options, with help that starts with examples and goes to stdout, and errors that name the
/// command.
class CommandLine {
 public:
  CommandLine(std::string_view command, std::string_view summary, std::string_view examples);

  CLI::App& options() { return app_; }

  /// The exit code if the command ends here: help was asked for, or the usage is wrong.
  std::optional<int> parse(int argc, char** argv);
  /// Says what is wrong on stderr; returns exit_usage.
  int usage_error(std::string_view text) const;

 private:
  std::string command_, summary_, examples_;
  CLI::App app_;
};

/// A command whose first word is one of its verbs. Each verb's CommandLine is named `COMMAND VERB`.
int run_verbs(std::string_view command, std::string_view summary, std::string_view examples,
              const std::vector<Command>& verbs, int argc, char** argv);

/// `tailrace: WHAT: not built yet` on stderr; returns exit_usage.
int not_built_yet(std::string_view what);

}  // namespace tailrace
