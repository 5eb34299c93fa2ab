#include "channels/disk/inspect.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/system/errc.hpp>

#include "base/time_text.h"
#include "channels/disk/errc.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/inspect.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "web/json_body.h"
#include "web/tail_text.h"

namespace tailrace {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view examples = R"(examples:
  tailrace inspect /var/lib/tailrace       segments, channels, drains, damage
  tailrace inspect -o json /var/lib/tailrace | jq .whole
  tailrace inspect --export -a shop /var/lib/tailrace     its records as ndjson
  tailrace inspect --export --raw -a shop /var/lib/tailrace > shop.log
)";

constexpr size_t kPiece = 64 * 1024;  // of stdout
constexpr size_t kShownRanges = 3;

struct Wanted {
  std::string dir, channel, output = "text";
  bool export_records = false, raw = false;
};

std::string_view state_name(SegmentReport::State state) {
  using State = SegmentReport::State;
  switch (state) {
    case State::sealed:
      return "sealed";
    case State::open:
      return "open";
    case State::prepared:
      return "prepared";
    case State::void_:
      return "void";
    case State::unreadable:
      return "unreadable";
    case State::foreign:
      return "of another data dir";
    case State::newer_version:
      return "newer version";
  }
  return "";
}

std::string_view state_name(FileState state) {
  switch (state) {
    case FileState::ok:
      return "ok";
    case FileState::missing:
      return "missing";
    case FileState::damaged:
      return "damaged";
    case FileState::newer_version:
      return "of a newer version";
  }
  return "";
}

std::string counted(uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

uint64_t bytes_of(const std::vector<Stretch>& stretches) {
  uint64_t bytes = 0;
  for (const Stretch& s : stretches) bytes += s.end - s.begin;
  return bytes;
}

/// A channel as people and exports call it; one that the catalog does not know by its index.
std::string channel_id(uint32_t index, const ChannelReport& channel) {
  return channel.id.empty() ? fmt::format("#{}", index) : channel.id;
}

std::string span(Micros oldest, Micros newest) {
  return oldest == 0 ? "-" : rfc3339_json(oldest) + " to " + rfc3339_json(newest);
}

// ---- one sentence ----------------------------------------------------------------------------------------

/// What is not as it should be, most important first; empty: nothing.
std::string faults(const DirReport& r) {
  std::vector<std::string> all;
  const auto segments = [&](std::string_view what, auto&& is) {
    const auto n = uint64_t(std::ranges::count_if(r.segments, is));
    if (n > 0) all.push_back(counted(n, "segment ", "segments ") + std::string(what));
  };
  using State = SegmentReport::State;
  if (r.missing > 0) all.push_back(counted(r.missing, "record is", "records are") + " missing");
  if (r.missing_segments > 0)
    all.push_back("at least " + counted(r.missing_segments, "segment is", "segments are") + " missing");
  segments("with unreadable headers", [](auto& s) { return s.state == State::unreadable; });
  segments("of another data dir", [](auto& s) { return s.state == State::foreign; });
  segments("written by a newer version", [](auto& s) { return s.state == State::newer_version; });
  segments("with damaged bytes", [](auto& s) { return !s.damaged.empty(); });
  segments("with a damaged header copy", [](auto& s) { return s.header_copy_bad; });
  segments("with a damaged index", [](auto& s) { return s.index_bad; });
  segments("that the disk does not give back", [](auto& s) { return !s.error.empty(); });
  if (r.catalog != FileState::ok)
    all.push_back(
        fmt::format("catalog.db is {}{}", state_name(r.catalog), r.from_copy ? " (its copy is whole)" : ""));
  const auto file = [&](std::string_view name, FileState state) {
    if (state != FileState::ok && state != FileState::missing)
      all.push_back(fmt::format("{} is {}", name, state_name(state)));
  };
  file("catalog.copy.db", r.catalog_copy);
  file("positions.db", r.positions);
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : ", ") + one;
  return text;
}

std::string sentence(const DirReport& r) {
  uint64_t records = 0;
  for (const auto& [index, channel] : r.channels) records += channel.records;
  const std::string found = fmt::format("{} in {} and {}", counted(records, "record", "records"),
                                        counted(r.channels.size(), "channel", "channels"),
                                        counted(r.segments.size(), "segment", "segments"));
  if (r.whole()) return found + "; nothing is damaged or missing.";
  return found + "; " + faults(r) + ".";
}

// ---- for people ------------------------------------------------------------------------------------------

std::string as_text(const DirReport& r, const std::string& only) {
  std::string out = r.holder.empty() ? "open by nobody\n" : "open by " + r.holder + "\n";
  out += "\nsegments\n";
  for (const SegmentReport& s : r.segments) {
    out += fmt::format("  {}  {:>10} bytes  {:<8}  {:>9} records  {}\n", visible(s.name), s.bytes,
                       state_name(s.state), s.records, span(s.oldest, s.newest));
    if (!s.damaged.empty())
      out += fmt::format("    damaged: {} bytes in {}\n", bytes_of(s.damaged),
                         counted(s.damaged.size(), "place", "places"));
    if (s.missing > 0) out += fmt::format("    missing: {}\n", counted(s.missing, "record", "records"));
    if (!s.torn.empty())
      out += fmt::format("    {} bytes of a group that was not finished, and not acknowledged\n",
                         bytes_of(s.torn));
    if (s.header_copy_bad) out += "    one copy of the header is damaged\n";
    if (s.index_bad) out += "    the index is damaged\n";
    if (!s.error.empty()) out += fmt::format("    {}\n", s.error);
  }
  out += "\nchannels\n";
  for (const auto& [index, c] : r.channels) {
    const std::string id = channel_id(index, c);
    if (!only.empty() && only != id && only != c.name) continue;
    out += fmt::format("  {:<6} {:<20}  {:>9} records  {:>12} bytes  {}\n", visible(id), visible(c.name),
                       c.records, c.bytes, span(c.oldest, c.newest));
    if (c.missing > 0) out += fmt::format("    missing: {}\n", counted(c.missing, "record", "records"));
    for (size_t i = 0; i < std::min(c.ranges.size(), kShownRanges); ++i)
      out += fmt::format("    {} to {}\n", c.ranges[i].first.value, c.ranges[i].last.value);
    if (c.ranges.size() > kShownRanges)
      out += fmt::format("    and {} up to {}\n",
                         counted(c.ranges.size() - kShownRanges, "more range", "more ranges"),
                         c.ranges.back().last.value);
  }
  if (!r.drains.empty()) out += "\ndrains\n";
  for (const DrainReport& d : r.drains) {
    const auto channel = r.channels.find(d.channel);
    const std::string of =
        channel == r.channels.end() ? fmt::format("#{}", d.channel) : channel_id(d.channel, channel->second);
    std::string dropped;
    for (size_t reason = 0; reason < d.dropped.size(); ++reason)
      if (d.dropped[reason] > 0)
        dropped += fmt::format(", {} dropped for {}", d.dropped[reason], kDropReasons[reason]);
    out += fmt::format("  {:<6} of {:<6} at {}  {} delivered, {} filtered, {} buffered{}{}{}\n", d.id,
                       visible(of), d.next.value, d.delivered, d.filtered, d.buffered, dropped,
                       d.missing > 0 ? fmt::format(", {} missing", d.missing) : "",
                       d.stored ? "" : " (its beginning; no position is stored)");
  }
  return out + "\n" + sentence(r) + "\n";
}

// ---- for programs ----------------------------------------------------------------------------------------

json time_or_null(Micros t) {
  return t == 0 ? json() : json(rfc3339_json(t));
}

json as_json(const std::vector<Stretch>& stretches) {
  json all = json::array();
  for (const Stretch& s : stretches) all.push_back({{"at", s.begin}, {"bytes", s.end - s.begin}});
  return all;
}

json as_json(const SegmentReport& s) {
  return {{"name", s.name},
          {"bytes", s.bytes},
          {"state", state_name(s.state)},
          {"sealed", s.state == SegmentReport::State::sealed},
          {"records", s.records},
          {"posts", s.posts},
          {"groups", s.groups},
          {"oldest", time_or_null(s.oldest)},
          {"newest", time_or_null(s.newest)},
          {"missing", s.missing},
          {"damaged", as_json(s.damaged)},
          {"torn", as_json(s.torn)},
          {"header_copy_damaged", s.header_copy_bad},
          {"index_damaged", s.index_bad},
          {"error", s.error.empty() ? json() : json(s.error)}};
}

json as_json(const DirReport& r, const std::string& only) {
  json segments = json::array(), channels = json::array(), drains = json::array();
  for (const SegmentReport& s : r.segments) segments.push_back(as_json(s));
  for (const auto& [index, c] : r.channels) {
    const std::string id = channel_id(index, c);
    if (!only.empty() && only != id && only != c.name) continue;
    json ranges = json::array();
    for (const auto& range : c.ranges)
      ranges.push_back({{"first", range.first.value}, {"last", range.last.value}});
    channels.push_back({{"channel", id},
                        {"name", c.name},
                        {"index", index},
                        {"records", c.records},
                        {"bytes", c.bytes},
                        {"missing", c.missing},
                        {"oldest", time_or_null(c.oldest)},
                        {"newest", time_or_null(c.newest)},
                        {"ranges", ranges}});
  }
  for (const DrainReport& d : r.drains) {
    const auto channel = r.channels.find(d.channel);
    json dropped = json::object();
    for (size_t reason = 0; reason < d.dropped.size(); ++reason)
      if (d.dropped[reason] > 0) dropped[std::string(kDropReasons[reason])] = d.dropped[reason];
    drains.push_back({{"id", std::to_string(d.id)},
                      {"channel", channel == r.channels.end() ? fmt::format("#{}", d.channel)
                                                              : channel_id(d.channel, channel->second)},
                      {"stored", d.stored},
                      {"next", d.next.value},
                      {"delivered", d.delivered},
                      {"filtered", d.filtered},
                      {"dropped", dropped},
                      {"buffered", d.buffered},
                      {"missing", d.missing}});
  }
  return {{"holder", r.holder.empty() ? json() : json(r.holder)},
          {"whole", r.whole()},
          {"summary", sentence(r)},
          {"missing_records", r.missing},
          {"missing_segments", r.missing_segments},
          {"files",
           {{"catalog.db", state_name(r.catalog)},
            {"catalog.copy.db", state_name(r.catalog_copy)},
            {"positions.db", state_name(r.positions)}}},
          {"segments", segments},
          {"channels", channels},
          {"drains", drains}};
}

// ---- records ---------------------------------------------------------------------------------------------

/// Collects what goes to stdout; false once nobody reads it.
class Records {
 public:
  explicit Records(bool raw) : raw_(raw) {}
  bool add(uint32_t index, const ChannelReport& channel, Position position, const Record& record) {
    if (raw_) {
      out_ += record.text();
      if (!record.text().ends_with('\n')) out_ += '\n';
    } else {
      out_ += "{\"channel\":";
      append_json_string(out_, channel_id(index, channel));
      out_ += ',';
      append_json_fields(out_, position, record);
      out_ += "}\n";
    }
    return out_.size() < kPiece || flush();
  }
  bool flush() {
    open_ = open_ && write_stdout(out_);
    out_.clear();
    return open_;
  }

 private:
  const bool raw_;
  bool open_ = true;
  std::string out_;
};

int fail(const Wanted& wanted, error_code error) {
  complain("inspect: " + wanted.dir + ": " + error.message());
  using boost::system::errc::no_such_file_or_directory;
  return error == no_such_file_or_directory || error == DiskErrc::not_a_data_dir ? exit_not_found
                                                                                 : exit_failure;
}

/// All segments stay open during the inspection.
void raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_inspect(int argc, char** argv) {
  Wanted wanted;
  CommandLine line("inspect", "reads a data dir, also one that is in use or damaged; changes nothing.",
                   examples);
  CLI::App& o = line.options();
  o.add_option("DIR", wanted.dir, "the data dir")->type_name("")->required();
  o.add_option("-a,--channel", wanted.channel, "only this channel, by id or name")->type_name("CHANNEL");
  o.add_option("-o,--output", wanted.output, "text or json [text]")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json"}));
  o.add_flag("--export", wanted.export_records, "the records as ndjson");
  o.add_flag("--raw", wanted.raw, "with --export: as RFC 5424, a line each");
  if (const auto ended = line.parse(argc, argv)) return *ended;
  if (wanted.raw && !wanted.export_records) return line.usage_error("--raw goes with --export");

  raise_descriptor_limit();
  const auto is_wanted = [&](uint32_t index, const ChannelReport& c) {
    return wanted.channel.empty() || wanted.channel == channel_id(index, c) || wanted.channel == c.name;
  };
  Records records(wanted.raw);
  const auto report = wanted.export_records
                          ? inspect(
                                wanted.dir,
                                [&](uint32_t index, const ChannelReport& channel, Position position,
                                    Record record) { return records.add(index, channel, position, record); },
                                is_wanted)
                          : inspect(wanted.dir);
  if (!report) return fail(wanted, report.error());
  if (std::ranges::none_of(report->channels, [&](auto& c) { return is_wanted(c.first, c.second); }) &&
      !wanted.channel.empty()) {
    complain("inspect: no channel has the id or the name '" + wanted.channel + "'");
    return exit_not_found;
  }
  if (wanted.export_records) {
    if (!records.flush()) return exit_failure;
  } else if (!write_stdout(wanted.output == "json"
                               ? as_json(*report, wanted.channel)
                                         .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
                                     "\n"
                               : as_text(*report, wanted.channel))) {
    return exit_failure;
  }
  if (report->whole()) return exit_ok;
  complain("inspect: " + wanted.dir + ": " + faults(*report));
  return exit_failure;
}

}  // namespace tailrace
