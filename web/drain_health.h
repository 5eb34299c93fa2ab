#pragma once
// How a drain is, as JSON (contract section 5; docs/drains.md, "What its owner sees").

#include <nlohmann/json_fwd.hpp>

#include "drains/drain_set.h"

namespace tailrace {

/// Records given up, by reason; reasons without any are left out.
nlohmann::json dropped_json(const Drops& dropped);

/// `now`: the moment of the account.
nlohmann::json health_json(const DrainSet::Account& drain, Micros now);

/// `{"dead_letters":[{"number","refused_at","cause","bytes","record"}]}`, oldest first; `record` is its first
/// 2 KiB, `bytes` all of it. A record whose bytes are no
/// UTF-8 has U+FFFD in their place.
nlohmann::json dead_letters_json(const DrainHistory& history);

}  // namespace tailrace
