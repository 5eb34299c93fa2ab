#include "base/address_policy.h"

#include <doctest/doctest.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <string>

using namespace tailrace;
using boost::asio::ip::make_address;

TEST_CASE("what the built-in list refuses") {
  const AddressPolicy policy;
  for (const std::string denied : {"0.0.0.0",
                                   "0.1.2.3",
                                   "10.0.0.1",
                                   "100.64.0.1",
                                   "100.100.100.200",
                                   "100.127.255.255",
                                   "127.0.0.1",
                                   "127.255.255.255",
                                   "169.254.169.254",
                                   "172.16.0.1",
                                   "172.31.255.255",
                                   "192.0.0.8",
                                   "192.0.2.1",
                                   "192.168.1.1",
                                   "198.18.0.1",
                                   "198.19.255.255",
                                   "198.51.100.1",
                                   "203.0.113.1",
                                   "224.0.0.1",
                                   "239.255.255.255",
                                   "240.0.0.1",
                                   "255.255.255.255",
                                   "168.63.129.16",
                                   "::",
                                   "::1",
                                   "::127.0.0.1",
                                   "::8.8.8.8",
                                   "::ffff:127.0.0.1",
                                   "::ffff:10.0.0.1",
                                   "::ffff:0:7f00:1",
                                   "64:ff9b::7f00:1",
                                   "64:ff9b::a9fe:a9fe",
                                   "64:ff9b:1::1",
                                   "2002:7f00:1::",
                                   "2002:a00:1::1",
                                   "2001:0:7f00:1::",
                                   "2001:0:808:808::80ff:fffe",
                                   "fc00::1",
                                   "fd00:ec2::254",
                                   "fe80::1",
                                   "febf::1",
                                   "fec0::1",
                                   "ff02::1",
                                   "2001:db8::1",
                                   "100::1",
                                   "2600::5efe:7f00:1",
                                   "2600::200:5efe:a00:1"})
    CHECK_MESSAGE(!policy.allows(make_address(denied)), denied);
  for (const std::string allowed :
       {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
        "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "::ffff:8.8.8.8",
        "64:ff9b::808:808", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"})
    CHECK_MESSAGE(policy.allows(make_address(allowed)), allowed);
}

TEST_CASE("the machine's own addresses are refused") {
  const AddressPolicy policy;
  ifaddrs* list = nullptr;
  REQUIRE(::getifaddrs(&list) == 0);
  for (const ifaddrs* at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    CHECK_FALSE(policy.allows(boost::asio::ip::address_v4(ntohl(v4->sin_addr.s_addr))));
  }
  ::freeifaddrs(list);
}

TEST_CASE("ranges of the configuration: denied adds, allowed is an exception from all") {
  const auto policy =
      AddressPolicy::parse("127.0.0.0/8, 10.1.2.3,fd00::/8", "8.8.0.0/16,2606::/16,127.9.0.0/16");
  REQUIRE(policy.has_value());
  for (const std::string allowed : {"127.0.0.1", "127.9.0.1", "10.1.2.3", "fd00:ec2::254", "::ffff:127.0.0.1",
                                    "64:ff9b::7f00:1", "1.1.1.1"})
    CHECK_MESSAGE(policy->allows(make_address(allowed)), allowed);
  for (const std::string denied :
       {"10.1.2.4", "8.8.8.8", "2606:4700::1111", "::1", "64:ff9b::808:808", "fc00::1"})
    CHECK_MESSAGE(!policy->allows(make_address(denied)), denied);
  CHECK(AddressPolicy::parse("0.0.0.0/0,::/0", "")->allows(make_address("169.254.169.254")));
  for (const std::string bad :
       {"x", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "fe80::1%lo/64", "127.1"})
    CHECK_MESSAGE(!AddressPolicy::parse(bad, ""), bad);
}

TEST_CASE("the machine's own addresses, as they are by then") {
  const AddressPolicy before = *AddressPolicy::parse("9.9.9.9", "");
  CHECK(before.allows(make_address("1.1.1.1")));
  const AddressPolicy after = before.on_machine_with(
      {make_address("1.1.1.1"), make_address("2606:4700::1111"), make_address("9.9.9.9")});
  for (const std::string denied :
       {"1.1.1.1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2606:4700::1111", "127.0.0.1"})
    CHECK_MESSAGE(!after.allows(make_address(denied)), denied);
  CHECK(after.allows(make_address("9.9.9.9")));  // an exception from all of it
  CHECK(after.allows(make_address("1.1.1.2")));
  CHECK(after.on_machine_with({}).allows(make_address("1.1.1.1")));
}
