#include "web/tail_query.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "web/json_body.h"
#include "web/off_loop.h"
#include "web/wanted_drain.h"

namespace tailrace {
namespace {

using nlohmann::json;

constexpr const char* kTexts[] = {"ps", "source", "severity", "filter"};
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

/// A text, or a list of them. False: it is neither.
bool read_texts(const json& fields, const char* name, std::vector<std::string>& out) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->is_null()) return true;
  const auto add = [&](const json& one) {
    if (one.is_string()) out.push_back(one);
    return one.is_string();
  };
  if (!found->is_array()) return add(*found);
  return std::ranges::all_of(*found, add);
}

/// A whole number, as such or as its digits. None and no error: it is absent.
std::optional<uint64_t> number(const json& fields, const char* name, std::string& error) {
  bool wrong = false;
  const auto text = text_field(fields, name, wrong);
  const auto value = text ? parse_u64(*text) : std::nullopt;
  if (wrong || (text && !value)) error = std::string(name) + ": takes a whole number";
  return value;
}

std::string first_error(const json& fields, Micros now, TailFields& out) {
  std::string error;
  bool wrong = false;
  out.channel_id = text_field(fields, "channel_id", wrong);
  if (wrong) return "channel_id: takes a text";
  out.query.follow = wants_tail(fields);

  const auto num = number(fields, "num", error);
  if (!error.empty()) return error;
  if (const auto after = number(fields, "after", error)) out.query.after = Position{*after};
  if (!error.empty()) return error;
  if (const auto since = text_field(fields, "since", wrong); since || wrong) {
    out.since = since ? begin_time(*since, now) : std::nullopt;
    if (!out.since) return std::string(kBeginTimes);
  }
  if (out.since && out.query.after) return "after: not together with since";
  if (num || out.since || out.query.after) out.query.num = num;

  TailWishes wishes;
  std::string* const texts[] = {&wishes.ps, &wishes.source, &wishes.severity, &wishes.filter};
  for (size_t i = 0; i < std::size(texts); ++i) {
    *texts[i] = text_field(fields, kTexts[i], wrong).value_or("");
    if (wrong) return std::string(kTexts[i]) + ": takes a text";
  }
  std::vector<std::string>* const lists[] = {&wishes.grep, &wishes.exclude};
  for (size_t i = 0; i < std::size(lists); ++i)
    if (!read_texts(fields, kLists[i], *lists[i]))
      return std::string(kLists[i]) + ": takes a text or a list of them";
  ParsedTailFilter parsed = TailFilter::parse(wishes);
  out.query.filter = std::move(parsed.filter);
  return parsed.error;
}

}  // namespace

Place TailQuery::beginning() const {
  if (after) return Place::behind(*after);
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
  co_return Result<void>();
}

}  // namespace tailrace
