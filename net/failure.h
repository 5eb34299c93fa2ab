#pragma once
// Why a conversation with a far end failed: a code for policy and metrics, words for its owner.

#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace tailrace {

enum class NetErrc : uint8_t {
  ok = 0,
  resolve,              // the name server said no, or nothing in time
  address_not_allowed,  // the policy forbids every address, or one of them
  connect,              // refused, unreachable, timed out
  handshake,            // TLS: version, timeout, no TLS at all
  certificate,          // TLS: the far end's is not good, or it says so of ours
  closed,               // the far end closed or reset
  timeout,              // no answer within the request's total deadline
  bad_answer,           // not HTTP, or larger than the bounds
  stopped,              // our side is shutting down
};

struct NetFailure {
  NetErrc code = NetErrc::ok;
  std::string
      text;  // `connect: connection refused (10.0.0.9:514)`; never a secret, never the far end's bytes
};

template <class T>
using NetResult = boost::system::result<T, NetFailure>;

}  // namespace tailrace

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const tailrace::NetFailure& failure,
                                                    const boost::source_location&) {
  throw std::runtime_error(failure.text);
}
}  // namespace boost::system
