// The table of commands.

#include "cli/channels.h"
#include "cli/check.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/credentials.h"
#include "cli/drains.h"
#include "cli/help.h"
#include "cli/inspect.h"
#include "cli/logs.h"
#include "cli/send.h"
#include "cli/serve_command.h"
#include "cli/simulate.h"
#include "cli/sink_command.h"
#include "cli/tokens.h"
#include "cli/top.h"
#include "cli/version.h"

namespace tailrace {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"serve", "runs the router", serve_command},
      {"demo", "runs it on loopback with traffic and drains", demo_command},
      {"logs", "prints or follows a channel's lines", run_logs},
      {"send", "lines on stdin become log records", run_send},
      {"channels", "list, create, set, rm", run_channels},
      {"tokens", "list, add, rm", run_tokens},
      {"credentials", "list, add, rm", run_credentials},
      {"drains", "list, add, rm, test, health, pause, resume, replay", run_drains},
      {"simulate", "emits the lines of a router fleet", run_simulate},
      {"sink", "a drain's far end that counts and fails on command", run_sink},
      {"top", "live view of channels and drains", run_top},
      {"check", "says what is wrong with the configuration", run_check},
      {"inspect", "reads a data dir; changes nothing", run_inspect},
      {"completion", "for bash, zsh and fish", run_completion},
      {"version", "version, commit, build type", run_version},
      {"help", "this text, or a command's", run_help},
  };
  return all;
}

}  // namespace tailrace
