#include "ingest/syslog_udp.h"

#include <doctest/doctest.h>

#include <boost/asio/ip/udp.hpp>
#include <random>

#include "channels/memory_catalog.h"
#include "tests/channels/later_store.h"
#include "tests/eventually.h"
#include "tests/ingest/datagram_twin.h"

using namespace tailrace;
using namespace std::string_literals;

TEST_CASE("a datagram is a record; framing that a sender left on it is not") {
  for (const auto& [datagram, record] : std::vector<std::pair<std::string, std::string>>{
           {"<13>1 T h a p - - x", "<13>1 T h a p - - x"},
           {"no syslog", "no syslog"},
           {"", ""},
           {"\n", ""},
           {"\r\n", ""},
           {"\0"s, ""},
           {"<13>x\n", "<13>x"},
           {"<13>x\r\n", "<13>x"},
           {"<13>x\0"s, "<13>x"},
           {"<13>x\n\n", "<13>x\n"},
           {"<13>x\n\0"s, "<13>x\n"},
           {"<13>x\0\n"s, "<13>x\0"s},
           {"<13>a\nb\0c\n"s, "<13>a\nb\0c"s},
           {"5 <13>x", "<13>x"},
           {"6 <13>x\n", "<13>x"},
           {"6 <13>x\0"s, "<13>x"},
           {"5 <13>x\n", "5 <13>x"},  // one more than it counts
           {"4 <13>x", "4 <13>x"},
           {"6 <13>x", "6 <13>x"},
           {"05 <13>x", "05 <13>x"},
           {"+5 <13>x", "+5 <13>x"},
           {"5  <13>x", "5  <13>x"},
           {"5 hello", "5 hello"},  // a line that begins with a number
           {"0 ", "0 "},
           {" ", " "},
           {"18446744073709551621 <13>x", "18446744073709551621 <13>x"}}) {
    CAPTURE(datagram);
    CHECK(record_in_datagram(datagram) == record);
    CHECK(record_slowly(datagram) == record);
  }
  const std::string largest = "<13>" + std::string(65'497, 'x');
  CHECK(record_in_datagram("65501 " + largest) == largest);
}

TEST_CASE("whatever the bytes are, the slow twin finds the same record") {
  std::mt19937 random(1);
  const std::vector<std::string> pieces = {"5 <13>x", "<",   "1",          "12 ",     "0", " ",   "\n",
                                           "\r\n",    "\0"s, "<1>abc def", "99999 <", "+", "\xff"};
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes;
    for (int i = int(random() % 8); i > 0; --i) bytes += pieces[random() % pieces.size()];
    if (random() % 2) bytes = std::to_string(bytes.size() + (random() % 8 == 0)) + " " + bytes;
    CAPTURE(bytes);
    CHECK(record_in_datagram(bytes) == record_slowly(bytes));
  }
}

TEST_CASE("drops of a socket as the kernel prints them") {
  constexpr std::string_view table =
      "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref "
      "pointer drops            \n"
      "  381: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 14231 2 "
      "00000000d2f1a0c4 0         \n"
      " 1234: 0100007F:1771 00000000:0000 07 00000000:00001200 00:00000000 00000000   101        0 77001 2 "
      "000000008ad1ae6c 4294967290\n"
      "\n"
      "  sl  local_address                         remote_address                        st tx_queue "
      "rx_queue tr "
      "tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
      " 1234: 00000000000000000000000001000000:1771 00000000000000000000000000000000:0000 07 "
      "00000000:00000000 "
      "00:00000000 00000000     0        0 77002 2 0000000000000000 12\n";
  CHECK(drops_in_table(table, 14231) == 0);
  CHECK(drops_in_table(table, 77001) == 4294967290);
  CHECK(drops_in_table(table, 77002) == 12);
  CHECK_FALSE(drops_in_table(table, 7700));
  CHECK_FALSE(drops_in_table(table, 0));
  CHECK_FALSE(drops_in_table("", 77001));
  for (size_t cut = 0; cut < table.size(); ++cut) {  // a row that is not whole says nothing wrong for long
    const auto drops = drops_in_table(table.substr(0, cut), 14231);
    CHECK((!drops || *drops == 0));
  }
}

TEST_CASE("the kernel's number wraps, the total does not") {
  KernelDrops drops;
  CHECK_FALSE(drops.total());
  drops.seen(0);
  CHECK(drops.total() == 0);
  for (const uint32_t number : {5u, 5u, 4294967290u, 3u}) drops.seen(number);
  CHECK(drops.total() == (uint64_t(1) << 32) + 3);
}

TEST_CASE("what comes while there is no room is dropped and counted") {
  prometheus::Registry registry;
  IngestStats stats(registry);
  testing::LaterStore store;
  MemoryCatalog memory(store, {.drains_per_channel = 6});
  Catalog& catalog = memory;
  const ChannelPtr channel = *catalog.add_channel("shop");
  const TokenPtr token = *catalog.add_token("1", "app");
  Quota quota;
  std::vector<std::unique_ptr<Intake>> intakes;
  intakes.push_back(std::make_unique<Intake>(catalog, stats, quota));
  EventLoops loops(1);
  SyslogUdp udp(loops, intakes, store);
  REQUIRE_FALSE(udp.listen({boost::asio::ip::address_v4::loopback(), 0}, token->id));
  const std::string address = udp.listening().at(0).address;
  loops.start();
  udp.start();
  asio::io_context io;
  asio::ip::udp::socket sender(io, asio::ip::udp::v4());
  const asio::ip::udp::endpoint to(asio::ip::address_v4::loopback(),
                                   uint16_t(std::stoi(address.substr(address.find(':') + 1))));
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) sender.send_to(asio::buffer("line"s), to);
  };
  const auto dropped = [&] {
    for (const auto& family : registry.Collect())
      for (const auto& metric : family.metric)
        if (family.name == "tailrace_ingest_rejected_total" && metric.label.at(0).value == "udp" &&
            metric.label.at(1).value == "no_room")
          return metric.counter.value;
    return -1.0;
  };
  const auto accepted = [&] { return channel->log->totals().accepted; };
  send(5);
  CHECK(testing::eventually([&] { return accepted() == 5; }));
  store.room = false;
  send(7);
  CHECK(testing::eventually([&] { return dropped() == 7; }));
  store.room = true;
  send(1);
  CHECK(testing::eventually([&] { return accepted() == 6; }));
  CHECK(dropped() == 7);
  udp.stop();
  loops.stop();
}
