#pragma once
// What the log and the catalog refuse.

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace tailrace {

enum class ChannelErrc {
  ok = 0,
  removed,          // the channel is gone
  no_room,          // the store takes nothing now
  not_found,        // no such channel, token, drain or credential
  exists,           // the same drain URL or id in the channel
  too_many_drains,  // TAILRACE_CHANNEL_DRAINS
  not_stored,       // the change could not be stored, and was not made
  is_counted,       // a new channel's id is a number, and those are given in turn
};

const boost::system::error_category& channel_category();
inline boost::system::error_code make_error_code(ChannelErrc e) {
  return {int(e), channel_category()};
}

}  // namespace tailrace

template <>
struct boost::system::is_error_code_enum<tailrace::ChannelErrc> : std::true_type {};
