#include "channels/disk/inspect.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/system/errc.hpp>
#include <optional>
#include <set>

#include "channels/disk/catalog_tables.h"
#include "channels/disk/errc.h"
#include "channels/disk/inspected_segment.h"
#include "channels/disk/io.h"
#include "channels/disk/lock_file.h"
#include "channels/disk/positions.h"
#include "channels/disk/scanned_segment.h"
#include "channels/disk/segment_index.h"
#include "channels/disk/sqlite_snapshot.h"

namespace tailrace {
namespace {

using State = SegmentReport::State;
namespace sys = boost::system::errc;

bool is_blank(const File& file) {
  std::vector<std::byte> piece(256 * 1024);
  for (uint64_t at = kEntriesAt;; at += piece.size()) {
    const auto got = file.read(at, piece);
    if (!got) return false;
    const auto read = std::span(piece).first(*got);
    if (!std::ranges::all_of(read, [](std::byte b) { return b == std::byte{0}; })) return false;
    if (*got < piece.size()) return true;
  }
}

class Inspection {
 public:
  explicit Inspection(std::string dir) : dir_(std::move(dir)) {}

  Result<void> open_all();
  void read_databases();
  void scan_all();
  void account();
  void sum_up();
  void export_records(const UseRecord& use,
                      const std::function<bool(uint32_t, const ChannelReport&)>& wanted) const;
  DirReport take() { return std::move(out_); }

 private:
  Result<size_t> open_new();
  void look_at(InspectedSegment& s);
  void take_catalog(const CatalogRows& rows);
  void take_positions(const Positions::Rows& rows);
  void scan(InspectedSegment& s, uint32_t place);
  void compare_with_index(InspectedSegment& s, const IndexBuilder& found);
  void judge(InspectedSegment& s, bool last);
  uint64_t sum_up(uint32_t index, ChannelReport& channel);

  const std::string dir_;
  DirReport out_;
  std::vector<InspectedSegment> sources_;  // by number
  std::map<uint32_t, std::vector<FoundRun>> runs_;
  std::map<uint32_t, uint64_t> about_;  // an ordinal near those of a channel that come next
  std::map<uint32_t, Positions::ChannelEnd> ends_;
  std::optional<std::array<uint8_t, 16>> data_dir_;
};

// ---- files -----------------------------------------------------------------------------------------------

Result<void> Inspection::open_all() {
  struct stat status;
  if (::stat(dir_.c_str(), &status) != 0) return error_code(errno, boost::system::generic_category());
  if (!S_ISDIR(status.st_mode)) return make_error_code(DiskErrc::not_a_data_dir);
  const auto names = list_dir(dir_);
  if (!names) return names.error();
  const auto has = [&](std::string_view name) { return std::ranges::count(*names, name) > 0; };
  if (!has("segments") && !has("catalog.db") && !has("catalog.copy.db"))
    return make_error_code(DiskErrc::not_a_data_dir);
  out_.holder = LockFile::holder(dir_);
  if (!has("segments")) return {};
  // What a running process cleans away was copied to a newer segment before; those that are made meanwhile
  // are read too.
  for (int round = 0; round < 100; ++round) {
    const auto more = open_new();
    if (!more) return more.error();
    if (*more == 0) break;
  }
  std::sort(sources_.begin(), sources_.end(), [](auto& a, auto& b) { return a.number < b.number; });
  for (InspectedSegment& s : sources_) look_at(s);
  return {};
}

/// Opens segments that are not open yet; how many there were.
Result<size_t> Inspection::open_new() {
  const std::string segments = dir_ + "/segments";
  const auto names = list_dir(segments);
  if (!names) return names.error();
  size_t opened = 0;
  for (const std::string& name : *names) {
    const auto number = segment_number(name);
    const auto known = [&](const InspectedSegment& s) { return s.number == *number; };
    if (!number || *number == 0 || std::ranges::any_of(sources_, known)) continue;
    auto file = File::open_to_read(segments + "/" + name);
    if (!file && file.error() == sys::no_such_file_or_directory) continue;
    ++opened;
    InspectedSegment& s = sources_.emplace_back();
    s.number = *number;
    s.report.name = name;
    if (file)
      s.file = std::move(*file);
    else
      s.report.error = file.error().message();
  }
  return opened;
}

/// Header, begin and index.
void Inspection::look_at(InspectedSegment& s) {
  if (!s.file) return;
  std::vector<std::byte> bytes(kEntriesAt + stored_size(kMostRecordText));
  const auto size = s.file.size();
  const auto got = s.file.read(0, bytes);
  if (!size || !got) {
    s.report.error = (size ? got.error() : size.error()).message();
    return;
  }
  s.report.bytes = *size;
  bytes.resize(*got);
  HeaderFault fault = read_header(bytes, s.header);
  if (fault == HeaderFault::none && s.header.segment != s.number) fault = HeaderFault::damaged;
  s.report.state = fault == HeaderFault::none      ? State::open
                   : fault == HeaderFault::damaged ? State::unreadable
                                                   : State::newer_version;
  if (fault == HeaderFault::damaged && is_blank(s.file)) s.report.state = State::prepared;
  if (fault != HeaderFault::none) return;

  SegmentHeader other;
  const auto copy_good = [&](uint64_t at) {
    std::vector<std::byte> copy(kEntriesAt);
    std::copy_n(bytes.begin() + ptrdiff_t(at), kHeaderBlock, copy.begin() + ptrdiff_t(at));
    return read_header(copy, other) == HeaderFault::none;
  };
  s.report.header_copy_bad = bytes.size() < kEntriesAt || !copy_good(0) || !copy_good(kHeaderBlock);
  if (bytes.size() > kEntriesAt) {
    const auto first = read_entry(s.header.salts, kEntriesAt, std::span(bytes).subspan(kEntriesAt));
    if (first && first->is_control() && first->kind() == ControlKind::begin) s.begin = read_begin(*first);
  }
  auto index = StoredIndex::open(s.file, s.header.salts);
  if (index) {
    s.index = std::move(*index);
    s.report.state = State::sealed;
    const auto lines = s.index->for_each([&](const ChannelLine& line) {
      about_[line.channel] = std::max(about_[line.channel], line.highest_ordinal);
    });
    s.report.index_bad = !lines;
  }
}

// ---- databases -------------------------------------------------------------------------------------------

FileState state_of(error_code error) {
  if (!error) return FileState::ok;
  if (error == sys::no_such_file_or_directory) return FileState::missing;
  return error == DiskErrc::newer_version ? FileState::newer_version : FileState::damaged;
}

/// What `read` makes of a database; how it is goes to `state`.
template <class Read>
auto read_database(const std::string& path, FileState& state, Read&& read)
    -> std::invoke_result_t<Read, Database&> {
  auto database = read_snapshot(path);
  if (!database) return state = state_of(database.error()), database.error();
  auto rows = read(*database);
  state = state_of(rows ? error_code() : rows.error());
  return rows;
}

void Inspection::read_databases() {
  const auto catalog = read_database(dir_ + "/catalog.db", out_.catalog, read_catalog);
  const auto copy = read_database(dir_ + "/catalog.copy.db", out_.catalog_copy, read_catalog);
  const auto positions = read_database(dir_ + "/positions.db", out_.positions, Positions::read_rows);
  out_.from_copy = !catalog && copy;
  if (catalog)
    take_catalog(*catalog);
  else if (copy)
    take_catalog(*copy);
  if (positions) take_positions(*positions);
  for (const DrainReport& d : out_.drains) about_[d.channel] = std::max(about_[d.channel], d.ordinal);
}

void Inspection::take_catalog(const CatalogRows& rows) {
  data_dir_ = rows.data_dir;
  for (const auto& stored : rows.contents.channels) {
    ChannelReport& channel = out_.channels[stored.index];
    channel.id = stored.id, channel.name = stored.name;
  }
  for (const auto& stored : rows.contents.drains) {
    if (stored.url.empty()) continue;  // reserved
    DrainReport& d = out_.drains.emplace_back();
    d.id = stored.id, d.channel = stored.channel;
    d.next = stored.start.next, d.ordinal = stored.start.ordinal;
  }
}

void Inspection::take_positions(const Positions::Rows& rows) {
  for (DrainReport& d : out_.drains) {
    const auto found = rows.drains.find(d.id);
    if (found == rows.drains.end()) continue;
    const Progress& p = found->second;
    d.stored = true;
    d.next = p.next, d.ordinal = p.ordinal;
    d.delivered = p.counts.delivered, d.filtered = p.counts.filtered, d.dropped = p.counts.dropped;
  }
  ends_ = rows.channels;
  for (const auto& [channel, end] : ends_) about_[channel] = std::max(about_[channel], end.ordinal);
}

// ---- segments --------------------------------------------------------------------------------------------

void Inspection::scan_all() {
  std::map<uint64_t, uint64_t> void_ends;
  const bool from_segments = !data_dir_;
  for (const InspectedSegment& s : sources_) {
    if (s.readable() && from_segments) data_dir_ = s.header.data_dir;  // no catalog says it
    if (!s.begin) continue;
    for (const BeginText::Void& v : s.begin->voids) {
      const auto at = void_ends.emplace(v.segment, v.end).first;
      at->second = std::min(at->second, v.end);
    }
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    InspectedSegment& s = sources_[i];
    if (!s.readable()) continue;
    if (s.header.data_dir != data_dir_) {
      s.report.state = State::foreign;
      continue;
    }
    if (const auto v = void_ends.find(s.number); v != void_ends.end()) s.void_end = v->second;
    if (s.void_end <= kEntriesAt) {
      s.begin.reset();
      s.report.state = State::void_;
      continue;
    }
    scan(s, uint32_t(i));
  }
}

void Inspection::scan(InspectedSegment& s, uint32_t place) {
  SegmentAccount collector(s, place, runs_, about_, out_.channels);
  SegmentScanner scanner(s.file, s.header.salts, kEntriesAt, std::min(s.report.bytes, s.void_end));
  bool any = false;
  while (const StoredEntry* entry = scanner.next()) {
    if (!scanner.stretch().empty()) s.stretches.push_back(scanner.stretch());
    collector.add(*entry);
    any = true;
  }
  const bool zeros = scanner.stretch().zeros;
  if (!scanner.stretch().empty() && (!zeros || s.index)) s.stretches.push_back(scanner.stretch());
  collector.finish();
  if (scanner.error()) s.report.error = scanner.error().message();
  if (!any && zeros && !s.index && !s.report.error.size()) s.report.state = State::prepared;
  if (s.index) compare_with_index(s, collector.index());
}

/// What an index says must be found, and be all if no bytes are damaged.
void Inspection::compare_with_index(InspectedSegment& s, const IndexBuilder& found) {
  uint64_t records = 0;
  bool more = false;
  const auto read = s.index->for_each([&](const ChannelLine& stored) {
    records += stored.records;
    const ChannelLine* const line = found.channel(stored.channel);
    if (!line) return;
    more = more || line->records > stored.records || line->lowest_number < stored.lowest_number ||
           line->highest_number > stored.highest_number || line->lowest_ordinal < stored.lowest_ordinal ||
           line->highest_ordinal > stored.highest_ordinal || line->bytes > stored.bytes;
  });
  const auto posts = s.index->posts();
  if (!read || !posts) {
    s.report.index_bad = true;
    return;
  }
  const uint64_t there = s.entries(), said = records + posts->size();
  s.index_missing = said - std::min(there, said);
  s.report.index_bad = more || said < there || (s.index_missing > 0 && s.stretches.empty());
}

/// Which of the bytes that are no entry are damage, and which a group that nobody was told of.
void Inspection::judge(InspectedSegment& s, bool last) {
  for (const Stretch& stretch : s.stretches) {
    const bool in_last_group = stretch.begin >= s.last_group_at && stretch.begin < s.last_group_end;
    const bool never_told = in_last_group && s.last_group_missing > 0 && s.report.missing == 0;
    const bool behind = !s.index && stretch.begin >= s.last_group_end;
    const bool torn = never_told || behind || (last && !s.index && stretch.begin >= s.last_group_at);
    (torn ? s.report.torn : s.report.damaged).push_back(stretch);
  }
}

/// What each segment held once: told by its index, by its groups, and by what the next segment counted.
void Inspection::account() {
  InspectedSegment* before = nullptr;
  uint64_t entries = 0;
  std::set<uint64_t> named;
  for (InspectedSegment& s : sources_) {
    if (!s.readable()) continue;
    s.report.missing = std::max(s.report.missing, s.index_missing);
    if (s.begin && before) {
      const uint64_t gap = s.begin->entries - std::min(entries, s.begin->entries);
      if (s.begin->before == before->number)
        before->report.missing = std::max(before->report.missing, gap);
      else
        out_.missing += gap - std::min(gap, before->report.missing);
    }
    if (s.begin && s.begin->before != 0) named.insert(s.begin->before);
    if (s.begin) entries = s.begin->entries;
    entries += s.entries();
    before = &s;
  }
  for (InspectedSegment& s : sources_) {
    named.erase(s.number);
    if (s.readable()) judge(s, &s == before);
    out_.missing += s.report.missing;
  }
  // Those before the oldest that is there were cleaned.
  for (const uint64_t number : named) out_.missing_segments += number > sources_.front().number;
  for (InspectedSegment& s : sources_) out_.segments.push_back(s.report);
}

// ---- channels --------------------------------------------------------------------------------------------

void Inspection::sum_up() {
  for (auto& [channel, runs] : runs_) merge_runs(runs);
  uint64_t needed = 0;
  for (auto& [index, channel] : out_.channels) needed += sum_up(index, channel);
  out_.missing = std::max(out_.missing, needed);
}

/// How many records its drains should have that are not there.
uint64_t Inspection::sum_up(uint32_t index, ChannelReport& channel) {
  const std::vector<FoundRun>& runs = runs_[index];
  const Positions::ChannelEnd stored = ends_.contains(index) ? ends_[index] : Positions::ChannelEnd{};
  uint64_t end = stored.ordinal, gaps = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const FoundRun& run = runs[i];
    channel.records += run.records;
    end = std::max(end, run.end_ordinal());
    const bool goes_on =
        i > 0 && runs[i - 1].end_number() == run.number && runs[i - 1].end_ordinal() == run.ordinal;
    if (!goes_on) channel.ranges.push_back({{run.number}, {}});
    channel.ranges.back().last = {run.end_number() - 1};
    if (i > 0 && run.ordinal > runs[i - 1].end_ordinal()) gaps += run.ordinal - runs[i - 1].end_ordinal();
  }
  for (const DrainReport& d : out_.drains)
    if (d.channel == index) end = std::max(end, d.ordinal);

  uint64_t needed = 0;
  for (DrainReport& d : out_.drains) {
    if (d.channel != index) continue;
    uint64_t next = std::max(d.ordinal, std::min(stored.lost, end));  // what a bound took is no damage
    for (const FoundRun& run : runs) {
      if (run.end_ordinal() <= next) continue;
      const uint64_t from = std::max(next, run.ordinal);
      d.buffered += run.end_ordinal() - from;
      d.missing += from - next;
      next = run.end_ordinal();
    }
    if (end > next) d.missing += end - next;
    needed = std::max(needed, d.missing);
  }
  channel.missing = out_.losses() ? std::max(gaps, needed) : needed;
  return needed;
}

void Inspection::export_records(const UseRecord& use,
                                const std::function<bool(uint32_t, const ChannelReport&)>& wanted) const {
  std::vector<uint64_t> buffer(kMostInspectedRun / 8);  // aligned
  const auto bytes = std::as_writable_bytes(std::span(buffer));
  for (const auto& [channel, report] : out_.channels) {
    const auto runs = runs_.find(channel);
    if (runs == runs_.end() || (wanted && !wanted(channel, report))) continue;
    for (const FoundRun& run : runs->second) {
      const InspectedSegment& s = sources_[run.segment];
      const auto got = s.file.read(run.offset, bytes.first(run.bytes));
      if (!got) continue;  // it could be read a moment ago
      uint64_t at = run.offset;
      while (const auto entry =
                 read_entry(s.header.salts, at, bytes.subspan(at - run.offset, *got - (at - run.offset)))) {
        const uint64_t number = entry->prefix.number;
        if (number >= run.number && number < run.end_number() &&
            !use(channel, report, {number}, entry->record))
          return;
        at = entry->behind();
        if (at - run.offset >= *got) break;
      }
    }
  }
}

}  // namespace

bool SegmentReport::damage() const {
  const bool usable = state != State::unreadable && state != State::foreign && state != State::newer_version;
  return !usable || header_copy_bad || index_bad || !damaged.empty() || missing > 0 || !error.empty();
}

bool DirReport::losses() const {
  const auto lost = [](const SegmentReport& s) {
    const bool usable =
        s.state != State::unreadable && s.state != State::foreign && s.state != State::newer_version;
    return !usable || !s.damaged.empty() || s.missing > 0 || !s.error.empty();
  };
  return missing > 0 || missing_segments > 0 || std::ranges::any_of(segments, lost) ||
         std::ranges::any_of(drains, [](const DrainReport& d) { return d.missing > 0; });
}

bool DirReport::whole() const {
  return !losses() && catalog == FileState::ok &&
         (catalog_copy == FileState::ok || catalog_copy == FileState::missing) &&
         (positions == FileState::ok || positions == FileState::missing) &&
         std::ranges::none_of(segments, &SegmentReport::damage);
}

Result<DirReport> inspect(const std::string& dir, const UseRecord& use,
                          const std::function<bool(uint32_t channel, const ChannelReport&)>& wanted) {
  Inspection inspection(dir);
  if (const auto opened = inspection.open_all(); !opened) return opened.error();
  inspection.read_databases();
  inspection.scan_all();
  inspection.account();
  inspection.sum_up();
  if (use) inspection.export_records(use, wanted);
  return inspection.take();
}

}  // namespace tailrace
