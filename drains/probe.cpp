#include "drains/probe.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/ids.h"
#include "base/time_text.h"
#include "channels/batch.h"
#include "drains/http_request.h"
#include "drains/syslog_link.h"

namespace tailrace {
namespace {

constexpr auto kAcknowledged = std::chrono::milliseconds(5'000);

/// The marked record, in a chunk of its own.
Slice test_record(const std::string& drain_token) {
  const Micros now = wall_now();
  const std::string time = rfc3339_micros(now), head = time + " host";
  const std::string message = "Test record of Tailrace for drain " + drain_token;
  NewRecord record;
  record.head = head;
  record.time_size = uint16_t(time.size());
  record.app = "tailrace";
  record.ids = "test -";
  record.procid_size = 4;
  record.message = message;
  record.pri = 190;
  const auto size = uint32_t(entry_size(record.text_size()));
  Slice slice;
  slice.chunk = Chunk::make(size, Position());
  write_entry(record, now, slice.chunk->data());
  slice.end_at = slice.chunk->end = size;
  slice.records = slice.chunk->count = 1;
  return slice;
}

void note(ProbeReport& report, const char* name, const ConnectStep& step) {
  if (!step.tried) return;
  report.steps.push_back({name, double(step.took.count()) / 1e6, step.ok, step.outcome});
}

/// All that led to a connection; false: it led to none.
bool note(ProbeReport& report, const ConnectSteps& steps) {
  note(report, "resolve", steps.resolve);
  note(report, "connect", steps.connect);
  note(report, "handshake", steps.handshake);
  return !report.steps.empty() && report.steps.back().ok;
}

// ---- HTTP ------------------------------------------------------------------------------------------------

asio::awaitable<ProbeReport> probe_http(Loop& loop, DrainServices services, ClientTls tls,
                                        JudgedTarget judged, std::string drain_token) {
  const RequestMaker requests(judged.target, judged.options, drain_token);
  Delivery batch;
  batch.add(test_record(drain_token), nullptr);
  batch.frame_id = random_hex(16);  // no batch's, and so no repeat of one
  for (char& c : batch.frame_id) c = char(std::toupper(static_cast<unsigned char>(c)));
  const auto body = co_await requests.body(batch);
  const std::string head = requests.head(batch, *body, wall_now());
  Origin origin;
  origin.tls = judged.target.is_tls();
  origin.host = judged.target.host;
  origin.port = judged.target.port;
  HttpClient client(loop, services.connector, std::move(tls), std::move(origin));
  ConnectSteps steps;
  ConnectStep send;
  const Mono began = mono_now();
  auto answer = co_await client.exchange(head, *body, &steps);
  const Mono ended = mono_now();
  ProbeReport report;
  if (!note(report, steps)) co_return report;
  send.tried = true;
  send.took = std::chrono::duration_cast<std::chrono::microseconds>(ended - began) - steps.resolve.took -
              steps.connect.took - steps.handshake.took;
  if (answer) {
    report.status = answer->status;
    send.ok = answer->status / 100 == 2;
    send.outcome = "answered " + std::to_string(answer->status);
  } else {
    send.outcome = answer.error().text;
  }
  note(report, "send", send);
  report.ok = send.ok;
  co_return report;
}

// ---- syslog ----------------------------------------------------------------------------------------------

/// Waits for one acknowledgement, or for what comes in its place.
struct Awaited final : SyslogLinkOwner {
  explicit Awaited(Loop& loop) : timer(loop.io) {}
  void link_free() override {}
  void link_acknowledged() override { over({}); }
  void link_due() override {}
  void link_ended(const NetFailure& why) override { over(why); }
  void over(const NetFailure& why) {
    if (std::exchange(ended, true)) return;
    failure = why;
    timer.cancel();
  }

  asio::steady_timer timer;
  bool ended = false;
  NetFailure failure;
};

asio::awaitable<ProbeReport> probe_syslog(Loop& loop, DrainServices services, ClientTls tls,
                                          JudgedTarget judged, std::string drain_token) {
  SyslogLink::To to;
  to.host = judged.target.host;
  to.port = judged.target.port;
  to.tls = judged.target.is_tls();
  ConnectSteps steps;
  const TlsReturn nothing;
  const auto cancel = std::make_shared<ConnectCancel>();
  auto link = co_await SyslogLink::open(loop, services.connector, std::move(tls), std::move(to), nothing,
                                        services.syslog, cancel, &steps);
  ProbeReport report;
  if (!note(report, steps) || !link) co_return report;
  const Frames frames = Frames::syslog(judged.options.format, drain_token);
  const Slice slice = test_record(drain_token);
  const Record record = *slice.begin();
  std::string frame(frames.size(record), '\0');
  frames.write(record, frame.data());

  ConnectStep sending;
  StepWatch watch(sending);
  Awaited awaited(loop);
  (*link)->begin(awaited);
  awaited.timer.expires_after(kAcknowledged);
  if ((*link)->send(frame) == SyslogLink::Sent::broken) awaited.over((*link)->failure());
  (*link)->check_later();
  if (!awaited.ended) co_await awaited.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  (*link)->close();
  if (!awaited.ended)
    watch.done(false, "no acknowledgement within " + duration_text(kAcknowledged));
  else if (awaited.failure.code != NetErrc::ok)
    watch.done(false, awaited.failure.text);
  else
    watch.done(true, "acknowledged by TCP");
  note(report, "send", sending);
  report.ok = sending.ok;
  co_return report;
}

}  // namespace

ClientTls tls_of(const DrainServices& services, const DrainOptions& options) {
  return services.tls.with({options.tls_ca, options.tls_cert, options.tls_key});
}

asio::awaitable<ProbeReport> probe(Loop& loop, DrainServices services, ClientTls tls, JudgedTarget judged,
                                   std::string drain_token) {
  if (judged.target.is_http())
    return probe_http(loop, services, std::move(tls), std::move(judged), std::move(drain_token));
  return probe_syslog(loop, services, std::move(tls), std::move(judged), std::move(drain_token));
}

}  // namespace tailrace
