#include "cli/serve.h"

#include <sys/resource.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/node.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace tailrace {
namespace {

/// As many descriptors as we may have: a router's connections are many.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

int run_serve(const Settings& settings) {
  raise_descriptor_limit();
  StopSignals signals(StopSignals::Hangup::waited_for);  // before any thread
  std::string error;
  const auto node = Node::open(settings, error);
  if (!node) {
    complain(error);
    return exit_usage;
  }
  node->start();
  log_info("ready", "http=" + node->http_url() + " admin=" + node->admin_url());
  if (const std::string url = node->https_url(); !url.empty())
    log_info("public listener, TLS", "https=" + url);
  for (const std::string& address : node->syslog_addresses())
    log_info("syslog over TCP", "address=" + address);
  for (const std::string& address : node->syslog_tls_addresses())
    log_info("syslog over TLS", "address=" + address);
  for (const auto& udp : node->syslog_udp().listening())
    log_info("syslog over UDP",
             "address=" + udp.address + " receive_buffer=" + std::to_string(udp.receive_buffer));
  log_info("no data dir: channels, tokens, drains and records live in memory and are gone at exit");
  if (settings.auth_generated)
    complain("TAILRACE_AUTH is not set; the admin credential of this start is " + node->auth());

  for (;;) {
    const int signal = signals.wait(std::chrono::seconds(1));
    if (signal == SIGHUP)
      node->reread();
    else if (signal != 0)
      break;
    node->tick(mono_now());
  }
  log_info("stopping", "grace_ms=" + std::to_string(settings.grace.count()));
  if (const uint64_t lost = node->stop(settings.grace))
    log_warn("records were still waiting for a drain and are gone", "records=" + std::to_string(lost));
  log_info("stopped");
  return exit_ok;
}

}  // namespace tailrace
