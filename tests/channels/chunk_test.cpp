// Chunks and slices apart from any log.

#include "channels/chunk.h"

#include "tests/channels/log_fixture.h"

using namespace tailrace;

namespace {

std::vector<std::string> messages_of(const Slice& slice) {
  std::vector<std::string> messages;
  for (const Record record : slice) messages.emplace_back(record.message());
  return messages;
}

}  // namespace

TEST_CASE("compacted: the same records in as little memory as they need, and no copy that gains nothing") {
  LogFixture f;
  Woken task;
  Cursor cursor(Cursor::Kind::tail, f.loop.pass, task);
  cursor.attach(f.log());
  Slice all;
  for (int from = 0; !all.chunk || all.chunk->capacity < kMaxChunk || all.records < 300; from += 20) {
    f.append(numbered(from, 20, 100));
    const Slice more = cursor.read(kMaxChunk).slice;
    if (all.chunk != more.chunk) all = more;
    all.end_at = more.end_at;
    all.records = uint32_t(more.past().value - all.first.value);
  }
  Slice some = all;
  const std::vector<std::string> messages = messages_of(all);
  for (int i = 0; i < 10; ++i) {
    some.begin_at += uint32_t((*some.begin()).stride());
    --some.records;
    ++some.first.value;
  }
  CHECK(compacted(some).chunk == all.chunk);
  some.end_at = some.begin_at + 3 * uint32_t((*some.begin()).stride());
  some.records = 3;
  const Slice own = compacted(some);
  CHECK(own.chunk->capacity <= 1024);
  CHECK(own.chunk->end == own.bytes());
  CHECK(own.first == some.first);
  CHECK(own.chunk->first == some.first);
  CHECK(own.chunk->end_ordinal() - own.chunk->ordinal == 3);
  CHECK(messages_of(own) == std::vector<std::string>(messages.begin() + 10, messages.begin() + 13));
  CHECK((*own.begin()).arrival() == (*some.begin()).arrival());
  CHECK(compacted(own).chunk == own.chunk);
  CHECK(compacted(Slice()).empty());
}
