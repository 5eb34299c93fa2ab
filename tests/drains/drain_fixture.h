#pragma once
// Loops, a catalog and a drain set, with records to send.

#include <doctest/doctest.h>

#include "channels/memory_catalog.h"
#include "channels/memory_store.h"
#include "drains/drain_set.h"
#include "tests/channels/log_fixture.h"
#include "tests/eventually.h"

namespace tailrace {

struct DrainFixture {
  explicit DrainFixture(LogLimits limits = {}, SyslogLimits syslog = {}, const std::string& ca_file = {})
      : DrainFixture(std::make_unique<MemoryStore>(MemoryStore::Options{.limits = limits}), syslog, ca_file) {
  }
  explicit DrainFixture(std::unique_ptr<Store> its_store, SyslogLimits syslog = {},
                        const std::string& ca_file = {})
      : store(std::move(its_store)), tls(ca_file), drains(loops, services(syslog)) {
    catalog.watch(&drains);
    channel = *catalog.add_channel("shop");
    reader.attach(*channel->log);
    loops.start();
  }
  ~DrainFixture() {
    drains.stop();
    loops.stop();
    reader.detach();
  }

  DrainEntry add(const std::string& url, const std::string& options = {}) {
    DrainChoice choice;
    choice.options = options;
    const auto entry = catalog.add_drain("1", url, choice);
    REQUIRE(entry.has_value());
    return *entry;
  }

  /// One batch: `PREFIX<n>` for each n.
  void append(int from, int count, const std::string& prefix = "m", size_t size = 0) {
    std::vector<std::string> messages;
    for (int i = from; i < from + count; ++i) {
      messages.push_back(prefix + std::to_string(i));
      if (messages.back().size() < size) messages.back().resize(size, '.');
    }
    append_messages(channel, messages, wall_now());
  }

  DrainSet::Account account(const DrainEntry& entry) {
    for (const auto& drain : drains.account(channel).drains)
      if (drain.entry.id == entry.id) return drain;
    FAIL("no such drain");
    return {};
  }
  bool settled(const DrainEntry& entry) {
    return testing::eventually([&] {
      const Ledger ledger = account(entry).ledger;
      CHECK(ledger.balanced());
      return ledger.buffered == 0;
    });
  }
  /// The router's own lines in the channel, without their time.
  std::vector<std::string> notices() {
    for (;;) {
      const Read read = reader.read(1 << 20);
      if (read.empty()) return notices_read;
      for (const std::string& line : read.notices) notices_read.push_back(line.substr(33));
    }
  }

  std::unique_ptr<Store> store;
  MemoryCatalog catalog{*store, {.drains_per_channel = 6}};
  ChannelPtr channel;
  EventLoops loops{2};
  struct Nobody final : Task {
    void run_task() override {}
  } nobody;
  Cursor reader{Cursor::Kind::tail, loops[0].pass, nobody};
  std::vector<std::string> notices_read;
  Connector connector{loops, {.policy = *AddressPolicy::parse("127.0.0.0/8", ""), .name_servers = {}}};
  ClientTls tls;
  DrainSet drains;

 private:
  DrainServices services(SyslogLimits syslog) {
    DrainServices all{connector, tls};
    all.syslog = syslog;
    return all;
  }
};

}  // namespace tailrace
