#include "cli/serve.h"

#include <sys/resource.h>

#include "base/log.h"
#include "channels/disk/crash_point.h"
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

void reread_all(Node& node, Settings& settings, const RereadLimits& reread) {
  node.reread();
  if (settings.limits_file.empty())
    return log_info("no limits to read again: there is no TAILRACE_LIMITS_FILE");
  const LimitsOutcome outcome = reread(settings);
  for (const std::string& problem : outcome.problems) log_warn("limits: " + problem);
  std::string changed;
  for (const std::string& limit : outcome.changed) changed += (changed.empty() ? "" : " ") + limit;
  if (!outcome.changed.empty()) node.set_limits(settings);
  log_info("limits read again", changed.empty() ? "changed=none" : changed);
}

}  // namespace

int run_serve(Settings settings, const RereadLimits& reread) {
  raise_descriptor_limit();
  arm_crash_point();
  StopSignals signals(StopSignals::Hangup::waited_for);  // before any thread
  Node::Failure failure;
  const auto node = Node::open(settings, failure);
  if (!node) {
    complain(failure.text);
    return failure.code;
  }
  for (const std::string& remark : node->storage().remarks()) log_warn(remark);
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
  if (settings.data_dir.empty())
    log_info("no data dir: channels, tokens, drains and records live in memory and are gone at exit");
  if (node->storage().auth_is_new())
    complain("TAILRACE_AUTH is not set; the admin credential of this " +
             std::string(settings.data_dir.empty() ? "start is " : "data dir is ") + node->storage().auth());

  for (;;) {
    const int signal = signals.wait(std::chrono::seconds(1));
    if (signal == SIGHUP)
      reread_all(*node, settings, reread);
    else if (signal != 0)
      break;
    node->tick(mono_now());
  }
  log_info("stopping", "grace_ms=" + std::to_string(settings.grace.count()));
  const uint64_t left = node->stop(settings.grace);
  const std::string records = "records=" + std::to_string(left);
  if (left && settings.data_dir.empty())
    log_warn("records were still waiting for a drain and are gone", records);
  else if (left)
    log_info("records wait for a drain in the data dir", records);
  log_info("stopped");
  return exit_ok;
}

}  // namespace tailrace
