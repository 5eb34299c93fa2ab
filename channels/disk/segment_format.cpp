#include "channels/disk/segment_format.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "channels/disk/crc32c.h"

namespace tailrace {
namespace {

constexpr std::string_view kMagic = "TRLOGSEG";
constexpr size_t kHeaderCrcAt = 124;
constexpr size_t kPostKey = 16, kBeginFixed = 24, kGroupText = 16, kEndText = 32;
constexpr std::string_view kAccepted = "accepted=";

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void store(std::byte* at, const T& value) {
  std::memcpy(at, &value, sizeof value);
}

void append(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class T>
void append_value(std::vector<std::byte>& out, const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Takes values from a text's front.
class Taker {
 public:
  explicit Taker(std::string_view text) : at_(reinterpret_cast<const std::byte*>(text.data())) {}
  template <class T>
  T take() {
    const T value = load<T>(at_);
    at_ += sizeof(T);
    return value;
  }

 private:
  const std::byte* at_;
};

// ---- the file's header -----------------------------------------------------------------------------------

void write_block(const SegmentHeader& header, uint32_t copy, std::byte* out) {
  std::memset(out, 0, kHeaderBlock);
  std::memcpy(out, kMagic.data(), kMagic.size());
  store(out + 8, kSegmentVersion);
  store(out + 12, copy);
  store(out + 16, header.segment);
  store(out + 24, header.data_dir);
  store(out + 40, header.salts.crc);
  store(out + 44, header.salts.seal);
  store(out + 48, header.created);
  store(out + 56, header.capacity);
  store(out + kHeaderCrcAt, crc32c({out, kHeaderCrcAt}));
}

HeaderFault read_block(std::span<const std::byte> block, uint32_t copy, SegmentHeader& out,
                       uint32_t& version) {
  const std::byte* const at = block.data();
  if (block.size() < kHeaderCrcAt + 4 || std::memcmp(at, kMagic.data(), kMagic.size()) != 0 ||
      load<uint32_t>(at + kHeaderCrcAt) != crc32c({at, kHeaderCrcAt}))
    return HeaderFault::damaged;
  version = load<uint32_t>(at + 8);
  if (version > kSegmentVersion) return HeaderFault::newer_version;
  out.segment = load<uint64_t>(at + 16);
  out.data_dir = load<std::array<uint8_t, 16>>(at + 24);
  out.salts = {load<uint32_t>(at + 40), load<uint32_t>(at + 44)};
  out.created = load<Micros>(at + 48);
  out.capacity = load<uint64_t>(at + 56);
  const bool sound = version > 0 && load<uint32_t>(at + 12) == copy && out.segment > 0 &&
                     out.capacity >= kEntriesAt && out.capacity <= kMostCapacity && out.capacity % 8 == 0;
  return sound ? HeaderFault::none : HeaderFault::damaged;
}

// ---- validity --------------------------------------------------------------------------------------------

uint64_t text_bound(uint32_t channel, uint32_t kind) {
  if (channel != kControlChannel) return kMostRecordText;
  switch (ControlKind(kind)) {
    case ControlKind::begin:
      return kBeginFixed + kMostVoids * sizeof(BeginText::Void);
    case ControlKind::group:
      return kGroupText;
    case ControlKind::post:
      return kMostPostText;
    case ControlKind::index:
      return kMostIndexText;
    case ControlKind::end:
      return kEndText;
  }
  return kMostRecordText;
}

bool record_is_sound(const EntryHeader& h, uint64_t number) {
  return h.time_at >= 5 && h.time_at < h.host_at && h.host_at < h.app_at && h.app_at < h.procid_at &&
         h.procid_at < h.msgid_at && h.msgid_at < h.sd_at && h.sd_at < h.msg_at && h.msg_at <= h.text_size &&
         h.pri <= 191 && number < kPositionLimit && h.reserved == 0;
}

bool text_is_sound(const StoredEntry& entry) {
  if (!entry.is_control()) return record_is_sound(entry.record.header(), entry.prefix.number);
  switch (entry.kind()) {
    case ControlKind::begin:
      return read_begin(entry).has_value();
    case ControlKind::group:
      return read_group(entry).has_value();
    case ControlKind::post:
      return read_post(entry).has_value();
    case ControlKind::end:
      return read_end(entry).has_value();
    case ControlKind::index:
      break;  // StoredIndex sees to that
  }
  return true;
}

}  // namespace

void write_header(const SegmentHeader& header, std::span<std::byte> out) {
  write_block(header, 0, out.data());
  write_block(header, 1, out.data() + kHeaderBlock);
}

HeaderFault read_header(std::span<const std::byte> bytes, SegmentHeader& out, uint32_t* version) {
  HeaderFault fault = HeaderFault::damaged;
  for (uint32_t copy = 0; copy < 2 && fault == HeaderFault::damaged; ++copy) {
    uint32_t found = 0;
    if (bytes.size() > copy * kHeaderBlock)
      fault = read_block(bytes.subspan(copy * kHeaderBlock), copy, out, found);
    if (version) *version = found;
  }
  return fault;
}

// ---- writing ---------------------------------------------------------------------------------------------

uint32_t check_of(const Salts& salts, uint64_t offset, std::span<const std::byte> entry) {
  std::array<std::byte, 12> seed;
  store(seed.data(), salts.crc);
  store(seed.data() + 4, offset);
  return crc32c(entry.subspan(4), crc32c(seed));
}

size_t write_record(const Salts& salts, uint64_t offset, uint32_t channel, uint64_t ordinal, Position number,
                    Record record, std::byte* out) {
  const size_t plain = sizeof(EntryHeader) + record.header().text_size;
  const size_t size = sizeof(EntryPrefix) + record.stride();
  const EntryPrefix prefix{0, seal_of(salts, offset), channel, uint32_t(ordinal), number.value};
  store(out, prefix);
  std::memcpy(out + sizeof prefix, &record.header(), plain);
  std::memset(out + sizeof prefix + plain, 0, size - sizeof prefix - plain);
  store(out, check_of(salts, offset, {out, size}));
  return size;
}

size_t open_control(ControlKind kind, uint64_t value, Micros now, std::vector<std::byte>& out) {
  const size_t at = out.size();
  append_value(out, EntryPrefix{0, 0, kControlChannel, uint32_t(kind), value});
  EntryHeader header;
  header.arrival = now;
  append_value(out, header);
  return at;
}

void close_control(const Salts& salts, uint64_t offset, size_t opened, std::vector<std::byte>& out) {
  const size_t text_size = out.size() - opened - kFixedBytes;
  out.resize(opened + stored_size(text_size));
  std::byte* const at = out.data() + opened;
  store(at + offsetof(EntryPrefix, seal), seal_of(salts, offset));
  store(at + sizeof(EntryPrefix), uint32_t(text_size));
  store(at, check_of(salts, offset, {at, out.size() - opened}));
}

uint64_t begin_bytes(const BeginText& begin) {
  return stored_size(kBeginFixed + begin.voids.size() * sizeof(BeginText::Void));
}

uint64_t post_bytes(const PostVerdict& post) {
  const size_t rejected = post.rejected.empty() ? 0 : 1 + post.rejected.size();
  return stored_size(kPostKey + kAccepted.size() + fmt::formatted_size("{}", post.accepted) + rejected);
}

void write_begin(const Salts& salts, uint64_t offset, Micros now, const BeginText& begin,
                 std::vector<std::byte>& out) {
  const size_t opened = open_control(ControlKind::begin, begin.before, now, out);
  append_value(out, begin.mark);
  append_value(out, begin.entries);
  append_value(out, uint32_t(begin.voids.size()));
  append_value(out, uint32_t{0});
  for (const BeginText::Void& v : begin.voids) append_value(out, v);
  close_control(salts, offset, opened, out);
}

void write_group(const Salts& salts, uint64_t offset, Micros now, const GroupText& group,
                 std::vector<std::byte>& out) {
  const size_t opened = open_control(ControlKind::group, group.group, now, out);
  append_value(out, group.mark);
  append_value(out, group.entries);
  append_value(out, group.bytes);
  close_control(salts, offset, opened, out);
}

void write_post(const Salts& salts, uint64_t offset, const PostVerdict& post, std::vector<std::byte>& out) {
  const size_t opened = open_control(ControlKind::post, 0, post.arrival, out);
  append_value(out, post.key);
  append(out, fmt::format("{}{}", kAccepted, post.accepted));
  if (!post.rejected.empty()) append(out, " " + post.rejected);
  close_control(salts, offset, opened, out);
}

void write_end(const Salts& salts, uint64_t offset, Micros now, const EndText& end,
               std::vector<std::byte>& out) {
  const size_t opened = open_control(ControlKind::end, end.index_at, now, out);
  append_value(out, end.records);
  append_value(out, end.last_group);
  append_value(out, end.newest);
  append_value(out, end.mark);
  close_control(salts, offset, opened, out);
}

// ---- reading ---------------------------------------------------------------------------------------------

uint64_t claimed_size(const Salts& salts, uint64_t offset, const std::byte* fixed) {
  const auto prefix = load<EntryPrefix>(fixed);
  const auto text_size = load<uint32_t>(fixed + sizeof prefix);
  if (prefix.seal != seal_of(salts, offset) || text_size > text_bound(prefix.channel, prefix.ordinal))
    return 0;
  return stored_size(text_size);
}

std::optional<StoredEntry> read_entry(const Salts& salts, uint64_t offset, std::span<const std::byte> bytes) {
  if (offset % 8 != 0 || bytes.size() < kFixedBytes) return {};
  const std::byte* const at = bytes.data();
  const uint64_t size = claimed_size(salts, offset, at);
  if (size == 0 || size > bytes.size()) return {};
  const StoredEntry entry{offset, size, load<EntryPrefix>(at), Record(at + sizeof(EntryPrefix))};
  if (entry.prefix.crc != check_of(salts, offset, bytes.first(size)) || !text_is_sound(entry)) return {};
  return entry;
}

std::optional<BeginText> read_begin(const StoredEntry& entry) {
  const std::string_view text = entry.record.text();
  if (text.size() < kBeginFixed) return {};
  Taker taker(text);
  BeginText begin;
  begin.before = entry.prefix.number;
  begin.mark = taker.take<uint64_t>();
  begin.entries = taker.take<uint64_t>();
  const uint64_t count = taker.take<uint32_t>();
  if (taker.take<uint32_t>() != 0 || text.size() != kBeginFixed + count * sizeof(BeginText::Void)) return {};
  for (uint64_t i = 0; i < count; ++i) {
    const auto segment = taker.take<uint64_t>();
    begin.voids.push_back({segment, taker.take<uint64_t>()});
  }
  return begin;
}

std::optional<GroupText> read_group(const StoredEntry& entry) {
  if (entry.record.text().size() != kGroupText) return {};
  Taker taker(entry.record.text());
  GroupText group;
  group.group = entry.prefix.number;
  group.mark = taker.take<uint64_t>();
  group.entries = taker.take<uint32_t>();
  group.bytes = taker.take<uint32_t>();
  if (group.bytes < kGroupBytes) return {};
  return group;
}

std::optional<PostVerdict> read_post(const StoredEntry& entry) {
  std::string_view text = entry.record.text();
  if (text.size() < kPostKey) return {};
  PostVerdict post;
  std::memcpy(post.key.data(), text.data(), kPostKey);
  post.arrival = entry.record.arrival();
  text.remove_prefix(kPostKey);
  if (!text.starts_with(kAccepted)) return {};
  text.remove_prefix(kAccepted.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), post.accepted);
  if (error != std::errc{}) return {};
  text.remove_prefix(size_t(end - text.data()));
  if (text.empty()) return post;
  if (text.size() < 2 || text[0] != ' ') return {};
  post.rejected = text.substr(1);
  return post;
}

std::optional<EndText> read_end(const StoredEntry& entry) {
  if (entry.record.text().size() != kEndText) return {};
  Taker taker(entry.record.text());
  EndText end;
  end.index_at = entry.prefix.number;
  end.records = taker.take<uint64_t>();
  end.last_group = taker.take<uint64_t>();
  end.newest = taker.take<Micros>();
  end.mark = taker.take<uint64_t>();
  return end;
}

std::string segment_name(uint64_t segment) {
  return fmt::format("{:016x}.seg", segment);
}

std::optional<uint64_t> segment_number(std::string_view name) {
  uint64_t segment = 0;
  if (name.size() != 20) return {};
  const auto [end, error] = std::from_chars(name.data(), name.data() + 16, segment, 16);
  if (error != std::errc{} || end != name.data() + 16 || segment_name(segment) != name) return {};
  return segment;
}

}  // namespace tailrace
