#pragma once
// What the routes need; all of it outlives them.

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/address_policy.h"
#include "channels/catalog.h"
#include "channels/log.h"
#include "drains/drain_set.h"
#include "ingest/syslog_udp.h"
#include "metrics/metrics.h"
#include "metrics/own_counters.h"
#include "metrics/rollup/rollup_keeper.h"
#include "web/access.h"
#include "web/api_state.h"
#include "web/listener_families.h"
#include "web/renderings.h"
#include "web/scrapes.h"
#include "web/sessions.h"
#include "web/system_facts.h"

namespace tailrace {

struct WebServices {
  const Store& store;
  Catalog& catalog;
  const Access& access;
  DrainSet& drains;
  Metrics& metrics;
  RollupKeeper& rollups;
  OwnCounters& counters;
  Sessions& sessions;
  Renderings& renderings;
  Scrapes& scrapes;
  const AddressPolicy& policy;
  boost::asio::thread_pool& blocking;  // for what may block: changes of the catalog, a channel's scrape
  std::string public_url;              // TAILRACE_PUBLIC_URL; empty: from the request
  uint16_t public_port = 0;            // of the public listener
  std::function<std::vector<std::string>()> unready;  // why the process is not ready; empty: it is
  SyslogUdp* syslog_udp = nullptr;                    // whose drops a scrape reads, if any
  ListenerCounts listeners;
  std::function<SystemFacts()> system;                // of this moment
  std::atomic<ApiState> api_state{ApiState::normal};  // TAILRACE_API_STATE, which may change
};

}  // namespace tailrace
