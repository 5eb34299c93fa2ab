#pragma once
// What a reader asks to see of a channel: from where, how much, of which records.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>

#include "channels/catalog.h"
#include "channels/log.h"
#include "net/http.h"
#include "web/tail_filter.h"

namespace tailrace {

struct TailQuery {
  ChannelPtr channel = {};
  std::optional<uint64_t> num = 100;   // the newest records first shown, after the filter; none: all
  bool follow = false;                 // goes on with what comes
  uint64_t from = 0;                   // no history below this ordinal
  std::optional<Position> after = {};  // begins behind this number; its reader was there before
  Position born = {};                  // the channel's next number when this was asked
  TailFilterPtr filter = {};           // null: every record

  /// Where a cursor for it begins. A channel that shows no history shows nothing from before this was asked.
  Place beginning() const;
};

/// What a request's fields (docs/tails.md) say, or which of them is wrong, and how.
struct TailFields {
  TailQuery query;  // without channel and from
  std::optional<std::string> channel_id;
  std::optional<Micros> since;  // 0: all that is kept
  std::string error;            // `num: takes a whole number`; empty: all is well
};
TailFields read_tail_fields(const nlohmann::json& fields, Micros now);

/// A query string's parameters, as such fields; one given several times is a list.
nlohmann::json tail_fields_of(const HttpRequest& request);

/// Finds where `since` lies in the query's channel: reads files, on `pool`. errors: the disk's.
boost::asio::awaitable<Result<void>> begin_since(TailQuery& query, Micros since,
                                                 boost::asio::thread_pool& pool);

}  // namespace tailrace
