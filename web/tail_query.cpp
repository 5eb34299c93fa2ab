#include "web/tail_query.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "web/json_body.h"
#include "web/off_loop.h"
#include "web/wanted_drain.h"

namespace tailrace {
namespace {

using nlohmann::json;

constexpr const char* kLists[] = {"grep", "exclude"};

/// Absent, null, false, "", 0 and "0" mean history only.
bool wants_tail(const json& fields) {
  const auto tail = fields.find("tail");
  if (tail == fields.end() || tail->is_null()) return false;
  if (tail->is_boolean()) return tail->get<bool>();
  if (tail->is_string()) return *tail != "0" && *tail != "false" && *tail != "";
  if (tail->is_number()) return *tail != 0;
  return true;
}

/// A text, or a list of them.
std::vector<std::string> one_or_more(JsonFields& given, const json& fields, const char* name) {
  const auto found = fields.find(name);
  if (found == fields.end() || !found->is_string())
    return given.texts(name).value_or(std::vector<std::string>());
  return {*given.text(name)};
}

std::string first_error(const json& fields, Micros now, TailFields& out) {
  JsonFields given(fields);
  out.channel_id = given.text_or_number("channel_id");
  out.query.follow = wants_tail(fields);
  const auto num = given.whole_number("num");
  if (const auto after = given.whole_number("after")) out.query.after = Position{*after};
  if (const auto since = given.text("since")) {
    out.since = begin_time(*since, now);
    if (!out.since) given.refuse(std::string(kBeginTimes));
  }
  if (num || out.since || out.query.after) out.query.num = num;

  TailWishes wishes;
  wishes.ps = given.text("ps").value_or("");
  wishes.source = given.text("source").value_or("");
  wishes.severity = given.text_or_number("severity").value_or("");
  wishes.filter = given.text("filter").value_or("");
  wishes.grep = one_or_more(given, fields, "grep");
  wishes.exclude = one_or_more(given, fields, "exclude");
  if (!given.good()) return given.error();
  ParsedTailFilter parsed = TailFilter::parse(wishes);
  out.query.filter = std::move(parsed.filter);
  return parsed.error;
}

}  // namespace

Place TailQuery::beginning() const {
  const bool hidden = channel && channel->no_history;
  if (after) return Place::behind(hidden ? std::max(*after, {born.value - 1}) : *after);
  if (hidden) return Place::at_end();
  if (num == 0) return Place::at_end();
  // With a filter, any of what readers may see may be among the newest that match.
  return Place::newest(filter ? UINT64_MAX : num.value_or(UINT64_MAX), from);
}

TailFields read_tail_fields(const json& fields, Micros now) {
  TailFields out;
  out.error = first_error(fields, now, out);
  return out;
}

json tail_fields_of(const HttpRequest& request) {
  json fields = json::object();
  for (const char* name : {"num", "after", "since", "ps", "source", "severity", "filter"})
    if (std::string value = request.query(name); !value.empty()) fields[name] = std::move(value);
  for (const char* name : kLists)
    if (const auto values = request.queries(name); !values.empty()) fields[name] = values;
  return fields;
}

boost::asio::awaitable<Result<void>> begin_since(TailQuery& query, Micros since,
                                                 boost::asio::thread_pool& pool) {
  if (!since) co_return Result<void>();  // all that is kept
  const Result<Progress> found = co_await off_loop(pool, [&] { return query.channel->log->since(since); });
  if (!found) co_return found.error();
  query.from = found->ordinal;
  if (query.after) query.after = std::max(*query.after, Position{found->next.value - 1});
  co_return Result<void>();
}

}  // namespace tailrace
