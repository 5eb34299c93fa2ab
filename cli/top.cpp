#include "cli/top.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "cli/api_call.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/top_poller.h"
#include "cli/top_view.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  tailrace top
  tailrace top --once                   as it is now, in words
  tailrace top -o json | jq '.channels[] | select(.lost > 0)'
)";

constexpr std::chrono::milliseconds between_looks{1000};  // of --once: rates take two

/// The terminal's side; the poller's thread shares the model and the status.
class LiveTop {
 public:
  LiveTop(const ApiTarget& target, bool color)
      : color_(color),
        source_(target, model_, mutex_),
        poller_(source_, [this](auto failed) { told(failed); }) {
    status_.url = target.url;
  }

  /// An exit code, or a signal below zero.
  int run();
  void leave() { terminal_.leave(); }

 private:
  void told(const std::optional<ApiFailure>& failed);
  void draw();
  bool press(const std::vector<Key>& keys);

  const bool color_;
  Terminal terminal_;  // before all threads
  KeyReader keys_;
  std::mutex mutex_;
  TopModel model_;    // guarded by mutex_
  TopStatus status_;  // guarded by mutex_
  TopState state_;
  std::optional<Screen> shown_;
  TopSource source_;
  TopPoller poller_;
};

void LiveTop::told(const std::optional<ApiFailure>& failed) {
  {
    const std::scoped_lock lock(mutex_);
    status_.trouble = failed ? failed->text : "";
    if (!failed) status_.answered_at = wall_now();
  }
  terminal_.wake();
}

void LiveTop::draw() {
  const auto [rows, columns] = terminal_.size();
  Screen screen(rows, columns);
  TopWanted wanted;
  {
    const std::scoped_lock lock(mutex_);
    status_.now = wall_now();
    draw_top(screen, model_, state_, status_);
    for (const TopChannel* channel : state_.shown(model_, top_page(rows)))
      wanted.channels.push_back(channel->id);
  }
  if (!state_.entered.empty()) wanted.channels = {state_.entered};
  wanted.entered = state_.entered;
  poller_.want(std::move(wanted), false);
  terminal_.write(screen.changes_from(shown_ ? &*shown_ : nullptr, color_));
  shown_ = std::move(screen);
}

bool LiveTop::press(const std::vector<Key>& keys) {
  for (const Key& key : keys) {
    if (key.kind == Key::suspend) {
      terminal_.suspend();
      shown_.reset();
    }
    if (key.kind == Key::redraw) shown_.reset();
    const std::string entered = state_.entered;
    bool goes_on;
    {
      const std::scoped_lock lock(mutex_);
      goes_on = state_.press(key, model_, top_page(terminal_.size().first));
    }
    if (!goes_on) return false;
    poller_.pause(state_.paused);
    if (state_.entered != entered && !state_.entered.empty())
      poller_.want({{state_.entered}, state_.entered}, true);
  }
  return true;
}

int LiveTop::run() {
  for (;;) {
    draw();
    const Terminal::Event event = terminal_.wait(std::chrono::milliseconds(keys_.waiting() ? 50 : 1000));
    if (event.ended_by == SIGINT) return exit_interrupted;
    if (event.ended_by) return -event.ended_by;
    if (event.gone) return exit_failure;
    if (event.resized) shown_.reset();
    std::vector<Key> keys;
    if (event.readable) {
      const std::string_view bytes = terminal_.read();
      if (bytes.empty()) return exit_failure;
      keys = keys_.add(bytes);
    } else if (keys_.waiting()) {
      keys = keys_.quiet();
    }
    if (std::ranges::count(keys, Key::interrupt, &Key::kind)) return exit_interrupted;
    if (!press(keys)) return exit_ok;
  }
}

int once(const ApiTarget& target, size_t most, bool json) {
  TopModel model;
  std::mutex mutex;
  TopSource source(target, model, mutex);
  TopWanted wanted;
  for (int look = 0; look < 2; ++look) {
    if (look > 0) std::this_thread::sleep_for(between_looks);
    if (const auto failed = source.poll(wanted)) return fail(*failed);
    for (const TopChannel* channel : model.sorted(TopSort::worst, "")) {
      if (wanted.channels.size() == most) break;
      if (std::ranges::count(wanted.channels, channel->id) == 0) wanted.channels.push_back(channel->id);
    }
  }
  std::vector<const TopChannel*> shown = model.sorted(TopSort::worst, "");
  if (shown.size() > most) shown.resize(most);
  for (const TopChannel* channel : shown)
    if (channel->drains_in("failing") + channel->drains_in("paused") > 0) source.take_health(channel->id);
  TopStatus status{.url = target.url, .trouble = {}, .answered_at = wall_now(), .now = wall_now()};
  return write_stdout(json ? top_json(shown, status) : top_text(shown, model, status)) ? exit_ok
                                                                                       : exit_failure;
}

}  // namespace

int run_top(int argc, char** argv) {
  std::string output, color = "auto", url, auth;
  size_t most = 50;
  bool snapshot = false;
  CommandLine line("top", "channels and drains as they go, the worst first; without a terminal, once.",
                   examples);
  CLI::App& o = line.options();
  o.add_flag("--once", snapshot, "as it is now, and ends");
  o.add_option("-n,--num", most, "with --once: so many channels at most [50]")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000));
  o.add_option("-o,--output", output, "text or json; goes with --once")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json"}));
  o.add_option("--color", color, "auto, always or never [auto]")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  o.add_option("--url", url, "the admin listener [TAILRACE_URL]")->type_name("URL");
  o.add_option("--auth", auth, "user:password [TAILRACE_AUTH]")->type_name("AUTH");
  if (const auto ended = line.parse(argc, argv)) return *ended;

  const ApiTarget target = find_target(url, auth);
  if (snapshot || !output.empty() || !Terminal::is_there()) return once(target, most, output == "json");
  // Who may not look is told before there is a screen to tell him on.
  ApiClient api({.url = target.url, .auth = target.auth});
  if (const auto answer = api.get("/v3/channels?limit=1"); !answer) return fail(answer.error());
  const bool colored = use_color(color == "always"  ? ColorChoice::always
                                 : color == "never" ? ColorChoice::never
                                                    : ColorChoice::automatic);
  LiveTop top(target, colored);
  const int code = top.run();
  top.leave();
  if (code < 0) {  // as if the signal had come to a process that knows nothing of it
    ::signal(-code, SIG_DFL);
    ::raise(-code);
  }
  ::_exit(code);  // the question that is under way is nobody's any more
}

}  // namespace tailrace
