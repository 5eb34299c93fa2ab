#include "cli/send.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/send_channel.h"
#include "cli/send_settings.h"
#include "cli/send_words.h"
#include "cli/signals.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::milliseconds;

constexpr std::string_view examples = R"(examples:
  export LOGS_URL=https://token:t.…@logs.example.com/logs
  my-program | tailrace send --procid web.1
  my-program 2>&1 | tailrace send --tee --zstd
  tailrace send --url http://127.0.0.1:8601/logs --appname t.… < old.log
  journalctl -f -o cat | tailrace send --procid journal --quiet

A line of stdin is a record. They arrive in their order; what the far end did
not take is sent again, under the same Logplex-Frame-Id, so that it can tell a
repeat. What waits lies in --buffer. When that is full the oldest lines go,
counted and told here and at the far end (Error L12), for a program whose stdout
blocks stops: so nobody who writes ever waits for the far end for longer than
0.1 s. With --full block he does, and nothing is lost; a file on stdin is always
read so.

At the end of its input and on SIGTERM or ^C it sends what is there for --grace
at most, and says what it sent and lost. Exit codes: 0 nothing was lost, 1
something was, 3 not authorised, 4 no such path, 5 never reached.
)";

constexpr auto kHold = 100ms;    // how long a writer may be held when dropping is what he asked for
constexpr auto kQuiet = 250ms;   // after a signal: a pipe that is silent for so long has said its last words
constexpr auto kLastWords = 3s;  // or for so long in all
constexpr auto kLook = 2ms;      // between two looks at a buffer that is full
constexpr auto kTellLosses = 60s;  // on stderr, after the first

/// stdin to the far end: one thread, which reads, and the loop of its channel.
class Send {
 public:
  /// `signals` were blocked before.
  Send(SendSettings settings, StopSignals& signals)
      : settings_(std::move(settings)),
        signals_(signals),
        channel_({.far_end = settings_.far_end,
                  .buffer = settings_.buffer,
                  .ca_file = settings_.ca_file,
                  .name_servers = settings_.name_servers,
                  .tell = [](std::string_view words) { complain("send: " + with_cure(words)); }}),
        input_(settings_.form, settings_.fields, channel_.channel(),
               [this](const Batch& batch) { append(batch); }) {
    signal_fd_ = ::signalfd(-1, &signals_.set(), SFD_CLOEXEC | SFD_NONBLOCK);
    if (settings_.block) {
      block_ = *settings_.block;
    } else {
      struct stat about{};
      block_ = file_ = ::fstat(STDIN_FILENO, &about) == 0 && S_ISREG(about.st_mode);
    }
    next_stats_ = mono_now() + settings_.stats_interval;
  }
  ~Send() { ::close(signal_fd_); }
  Send(const Send&) = delete;
  Send& operator=(const Send&) = delete;

  int run() {
    while (!finished_) read_some();
    input_.end(wall_now());
    flush();
    const DrainSet::Account account = channel_.account();
    const uint64_t unread = input_.rejected();
    const Exit code = read_failed_ ? exit_failure : send_exit(account, unread);
    if (!settings_.quiet || code != exit_ok) complain("send: " + send_report(account, unread));
    return code;
  }

 private:
  /// Waits for bytes, a signal, or the time to say something.
  void read_some() {
    std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {signal_fd_, POLLIN, 0}}};
    const auto quiet_until = mono_now() + kQuiet;
    const auto most =
        stopping_ ? std::min<Mono>(quiet_until, last_words_end_) - mono_now() : Mono::duration(1s);
    const int ready = ::poll(fds.data(), fds.size(), milliseconds(most));
    look();
    if (stopping_ && (mono_now() >= last_words_end_ || ready == 0)) finished_ = true;
    if (fds[0].revents & POLLNVAL) return fail("stdin is closed");
    if (!finished_ && fds[0].revents) take();
  }

  static int milliseconds(Mono::duration time) {
    return int(std::max<int64_t>(0, std::chrono::ceil<Milliseconds>(time).count()));
  }

  void take() {
    const std::span<char> room = input_.room();
    const ssize_t n = ::read(STDIN_FILENO, room.data(), room.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n < 0) return fail(std::string("stdin: ") + std::strerror(errno));
    if (n == 0) {
      finished_ = true;
      return;
    }
    if (tee_ && !write_stdout({room.data(), size_t(n)})) {
      tee_ = false;
      complain("send: nobody reads stdout any more; the lines are still sent");
    }
    input_.took(size_t(n), wall_now());
  }

  void fail(const std::string& why) {
    complain("send: " + why);
    finished_ = read_failed_ = true;
  }

  void append(const Batch& batch) {
    wait_for_room();
    channel_.append(batch);
  }

  /// Until there is room, or the writer has waited for long enough.
  void wait_for_room() {
    if (channel_.has_room()) return;
    const Mono held_until = mono_now() + kHold;
    while (!channel_.has_room()) {
      // A file waits for nobody who refuses it.
      const bool refused = file_ && channel_.account().status.state == DrainState::paused;
      const bool patient = block_ && !refused && !(stopping_ && mono_now() >= last_words_end_);
      if (!patient && (mono_now() >= held_until || !far_end_takes())) return;
      pollfd signal{signal_fd_, POLLIN, 0};
      (void)::poll(&signal, 1, int(kLook.count()));
      look();
    }
  }

  bool far_end_takes() const {
    const DrainState state = channel_.account().status.state;
    return state == DrainState::ok || state == DrainState::pending;
  }

  /// At the signals, and at the clock.
  void look() {
    if (signals_.wait(0ms) != 0 && !std::exchange(stopping_, true)) {
      stopped_at_ = mono_now();
      last_words_end_ = stopped_at_ + std::min<Mono::duration>(kLastWords, settings_.grace / 2);
    }
    const Mono now = mono_now();
    if (now < next_look_) return;
    next_look_ = now + 250ms;
    tell_losses(now);
    if (settings_.stats_interval == 0ms || now < next_stats_) return;
    next_stats_ = now + settings_.stats_interval;
    complain("send: " + send_stats(input_, channel_.account(), wall_now()));
  }

  void tell_losses(Mono now) {
    if (now < next_losses_) return;
    const DrainSet::Account account = channel_.account();
    const uint64_t lost = account.ledger.dropped_total();
    if (lost == losses_told_) return;
    losses_told_ = lost;
    next_losses_ = now + kTellLosses;
    complain("send: losing lines: " + send_report(account, 0, /*ended=*/false));
  }

  /// Sends what is there, as long as that may come to something.
  void flush() {
    const Mono end = (stopping_ ? stopped_at_ : mono_now()) + settings_.grace;
    if (channel_.settled()) return;
    channel_.hurry();
    while (!channel_.settled() && mono_now() < end) {
      if (channel_.account().status.state == DrainState::paused) return;
      pollfd signal{signal_fd_, POLLIN, 0};
      (void)::poll(&signal, 1, int(kLook.count()));
      look();
    }
  }

  const SendSettings settings_;
  StopSignals& signals_;
  int signal_fd_ = -1;
  SendChannel channel_;
  SendInput input_;
  bool block_ = false, file_ = false, tee_ = settings_.tee;
  bool finished_ = false, stopping_ = false, read_failed_ = false;
  Mono stopped_at_{}, last_words_end_{}, next_look_{}, next_losses_{}, next_stats_{};
  uint64_t losses_told_ = 0;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

int run_send(int argc, char** argv) {
  SendFlags flags;
  CommandLine line("send", "lines on stdin become log records.", examples);
  CLI::App& o = line.options();
  o.add_option("--url,--logs-url", flags.url, "where to [LOGS_URL, LOGS_URL_FILE]; no path means /logs")
      ->type_name("URL");
  o.add_option("--bearer-token", flags.bearer_token, "[LOGS_BEARER_TOKEN, LOGS_BEARER_TOKEN_FILE]")
      ->type_name("T");
  o.add_option("--appname,--logplex-token", flags.appname, "APP-NAME [the URL's token, else app]")
      ->type_name("NAME");
  o.add_option("--procid", flags.procid, "[DYNO, else -]")->type_name("NAME");
  o.add_option("--hostname", flags.hostname, "[this machine's]")->type_name("NAME");
  o.add_option("--msgid", flags.msgid, "[-]")->type_name("NAME");
  o.add_option("--prival", flags.prival, "facility * 8 + severity [190]")->type_name("N");
  o.add_option("--input-format", flags.format, "raw, rfc5424 or logplex [raw]")->type_name("FORM");
  o.add_option("--max-line-length", flags.max_line, "longer lines come in pieces [10000]")
      ->type_name("BYTES");
  o.add_option("--buffer", flags.buffer, "what may wait for the far end [8M]")->type_name("SIZE");
  o.add_option("--full", flags.full, "drop or block, when that is full [drop; block for a file]")
      ->type_name("HOW")
      ->check(CLI::IsMember({"drop", "block"}));
  o.add_option("--batch-size", flags.batch_size, "of a request, about, at most [1M]")->type_name("SIZE");
  o.add_option("--wait", flags.wait, "how long a batch may wait to become full [0s]")->type_name("TIME");
  o.add_flag("--gzip", flags.gzip, "requests are compressed");
  o.add_flag("--zstd", flags.zstd, "the same, faster, if the far end knows it");
  o.add_option("--grace", flags.grace, "for what waits at the end [30s]")->type_name("TIME");
  o.add_option("--ca-file", flags.ca_file, "authorities to trust [SSL_CERT_FILE, else the system's]")
      ->type_name("PEM");
  o.add_option("--stats-interval", flags.stats_interval, "says how it is going so often [never]")
      ->type_name("TIME");
  o.add_flag("--tee", flags.tee, "stdin goes to stdout too");
  o.add_flag("--quiet", flags.quiet, "no report if nothing was lost");
  if (const auto ended = line.parse(argc, argv)) return *ended;
  if (::isatty(STDIN_FILENO))
    return line.usage_error("stdin is a terminal: pipe a program's output here, my-program | tailrace send");
  SendSettingsOutcome outcome =
      read_send_settings(flags, process_environment(), read_small_file, host_name());
  if (!outcome.settings) return line.usage_error(outcome.error);

  // Before any thread. Who starts it beside a program lets it ignore them, so that it ends with its input.
  StopSignals signals(StopSignals::Hangup::ends, StopSignals::Ignored::left_alone);
  std::unique_ptr<Send> send;
  try {
    send = std::make_unique<Send>(std::move(*outcome.settings), signals);
  } catch (const std::exception& failed) {
    return line.usage_error(failed.what());
  }
  return send->run();
}

}  // namespace tailrace
