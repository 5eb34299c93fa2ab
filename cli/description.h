#pragma once
// What a command says of itself: the one source of its help, its completion and its part of the manual page.

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tailrace {

struct Command;

struct OptionDescription {
  std::vector<std::string> names;  // `-a`, `--app`; of an argument: `DIR`
  bool is_argument = false;        // has its meaning by its place
  bool takes_value = false;        // false: a flag
  bool required = false, repeated = false;
  std::string value;                 // what stands for the value: `APP`; may be empty
  std::vector<std::string> choices;  // all values that there are; empty: not a fixed choice
  std::string help;
};

struct CommandDescription {
  std::string name;                        // `drains add`
  std::string brief;                       // as in the list of commands
  std::string summary;                     // a sentence
  std::string examples;                    // as they are shown
  std::vector<OptionDescription> options;  // in the order in which they are shown
  std::vector<CommandDescription> verbs;
};

/// All that `app` shows.
std::vector<OptionDescription> describe_options(CLI::App& app);

/// Runs the command up to its command line, and its verbs.
CommandDescription describe(const Command& command);
std::vector<CommandDescription> describe_commands();

/// While one lives, a command that comes to its command line describes itself here and ends with exit 0.
/// They nest; the innermost listens. One thread.
class Recorder {
 public:
  Recorder() : before_(innermost_) { innermost_ = this; }
  ~Recorder() { innermost_ = before_; }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  static Recorder* listening() { return innermost_; }
  void take(CommandDescription description) { taken_ = std::move(description); }
  std::optional<CommandDescription>& taken() { return taken_; }

 private:
  static inline Recorder* innermost_ = nullptr;
  Recorder* before_;
  std::optional<CommandDescription> taken_;
};

}  // namespace tailrace
