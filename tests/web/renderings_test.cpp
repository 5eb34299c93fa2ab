// What readers share, beside what each would have written alone.

#include "web/renderings.h"

#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "tests/channels/log_fixture.h"

using namespace tailrace;

namespace {

struct SharedFixture : LogFixture {
  SharedFixture() : LogFixture({.history = 100'000, .bytes = 64u << 20}) {}

  /// A reader's cursor, which sees what comes from now on.
  struct Reader {
    explicit Reader(SharedFixture& f, const Place& place = Place::at_end())
        : cursor(Cursor::Kind::tail, f.loop.pass, task) {
      cursor.attach(f.log(), place);
    }
    /// All there is now, at most `bytes` at once.
    std::vector<Slice> slices(uint32_t bytes = kMaxChunk) {
      std::vector<Slice> all;
      while (true) {
        Slice slice = cursor.read(bytes).slice;
        if (slice.empty()) return all;
        all.push_back(std::move(slice));
      }
    }
    Woken task;
    Cursor cursor;
  };
};

TailFilterPtr grep(const std::string& expression) {
  return TailFilter::parse({.grep = {expression}}).filter;
}

std::string text_of(const RenderedSlice& rendered) {
  std::string text;
  for (const std::string_view piece : rendered.pieces()) {
    CHECK_FALSE(piece.empty());
    text += piece;
  }
  CHECK(text.size() == rendered.bytes());
  return text;
}

/// What a reader who is alone writes, without the first `skip` of it.
std::string plainly(const TailFilterPtr& filter, TailForm form, const Slice& slice, uint64_t skip = 0) {
  std::string text;
  uint64_t number = slice.first.value;
  for (const Record record : slice) {
    const Position position{number++};
    if (filter && !filter->wants(record)) continue;
    if (skip)
      --skip;
    else
      append_record(text, form, position, record);
  }
  return text;
}

uint64_t count(const TailFilterPtr& filter, const Slice& slice) {
  uint64_t count = 0;
  for (const Record record : slice) count += !filter || filter->wants(record);
  return count;
}

}  // namespace

TEST_CASE("any number of readers with the same wishes cost one evaluation a record") {
  SharedFixture f;
  Renderings renderings;
  std::vector<std::unique_ptr<SharedFixture::Reader>> readers;
  for (int i = 0; i < 50; ++i) readers.push_back(std::make_unique<SharedFixture::Reader>(f));
  uint64_t records = 0;
  std::vector<std::string> got(readers.size());
  for (int round = 0; round < 100; ++round) {
    const int more = 1 + round % 7;
    f.append(numbered(round * 10, more, 100));
    records += uint64_t(more);
    for (size_t i = 0; i < readers.size(); ++i)
      for (const Slice& slice : readers[i]->slices())
        // Each has made his filter by himself.
        got[i] += text_of(renderings.of(grep("m[0-9]*[24680]\\."), TailForm::ndjson, slice));
    REQUIRE(renderings.evaluations() == records);
  }
  CHECK(std::count(got[0].begin(), got[0].end(), '\n') > 50);
  for (const std::string& text : got) CHECK(text == got[0]);

  SUBCASE("ten distinct ones cost ten") {
    f.append(numbered(0, 5));
    for (size_t i = 0; i < 10 * readers.size(); ++i)
      for (const Slice& slice : SharedFixture::Reader(f, Place::newest(5)).slices())
        renderings.of(grep(std::to_string(i % 10)), TailForm::text, slice);
    CHECK(renderings.evaluations() == records + 50);
  }
  SUBCASE("each form costs one") {
    f.append(numbered(0, 5));
    for (const TailForm form : {TailForm::text, TailForm::ndjson, TailForm::events, TailForm::lines})
      for (int i = 0; i < 3; ++i)
        for (const Slice& slice : SharedFixture::Reader(f, Place::newest(5)).slices())
          renderings.of(nullptr, form, slice);
    CHECK(renderings.evaluations() == records + 20);
  }
}

TEST_CASE("slices of any kind, in any order, with evictions in between: the text of a reader alone") {
  SharedFixture f;
  std::mt19937 random(11);
  const auto below = [&](size_t n) { return size_t(random() % n); };
  const TailFilterPtr filters[] = {nullptr, grep("7"), grep("m1"), grep("nothing")};
  Renderings small(200'000), large;
  std::vector<Slice> slices;
  std::vector<std::unique_ptr<SharedFixture::Reader>> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(std::make_unique<SharedFixture::Reader>(f));
  std::vector<std::pair<RenderedSlice, std::string>> held;
  for (int round = 0; round < 3000; ++round) {
    f.append(numbered(round, 1 + int(below(4)), below(20) ? 30 : 3000));
    for (auto& reader : readers)
      if (below(3) == 0)
        for (Slice& slice : reader->slices(uint32_t(500 + below(kMaxChunk))))
          slices.push_back(std::move(slice));
    if (slices.empty()) continue;
    for (int i = 0; i < 3; ++i) {
      const Slice& slice = slices[slices.size() - 1 - below(std::min<size_t>(slices.size(), 200))];
      const TailFilterPtr& filter = filters[below(4)];
      const auto form = TailForm(below(4));
      Renderings& renderings = below(2) ? small : large;
      RenderedSlice rendered = renderings.of(filter, form, slice);
      const uint64_t wanted = count(filter, slice);
      REQUIRE(rendered.records() == wanted);
      REQUIRE(rendered.empty() == (wanted == 0));
      REQUIRE(renderings.matching(filter, form, slice) == wanted);
      REQUIRE(text_of(rendered) == plainly(filter, form, slice));
      const uint64_t skip = below(wanted + 2);
      rendered.drop_front(skip);
      REQUIRE(rendered.records() == wanted - std::min(wanted, skip));
      REQUIRE(text_of(rendered) == plainly(filter, form, slice, skip));
      if (below(50) == 0) held.emplace_back(rendered, text_of(rendered));
    }
    REQUIRE(small.bytes() <= 200'000);
  }
  slices.clear();
  for (auto& [rendered, text] : held) {
    REQUIRE(text_of(rendered) == text);
    if (rendered.empty()) continue;
    rendered.drop_front(1);
    REQUIRE(text.ends_with(text_of(rendered)));
  }
}

TEST_CASE("memory that is a chunk again is another chunk") {
  Renderings renderings;
  std::set<const Chunk*> seen;
  bool again = false;
  for (int i = 0; i < 100; ++i) {
    LogFixture f;  // whose chunks go back with it
    f.append({"m" + std::to_string(i)});
    Woken task;
    Cursor cursor(Cursor::Kind::tail, f.loop.pass, task);
    cursor.attach(f.log(), Place::newest(1));
    const Slice slice = cursor.read(kMaxChunk).slice;
    again |= !seen.insert(&*slice.chunk).second;
    REQUIRE(text_of(renderings.of(nullptr, TailForm::text, slice)) ==
            plainly(nullptr, TailForm::text, slice));
  }
  CHECK(again);
}

TEST_CASE("a reader of a whole history does not drive out what others share") {
  SharedFixture f;
  Renderings renderings(1 << 20);
  SharedFixture::Reader far(f);
  for (int i = 0; i < 400; ++i) f.append(numbered(i, 50, 200));
  SharedFixture::Reader one(f), other(f);
  f.append(numbered(0, 5));
  const Slice live = one.slices().front();
  renderings.of(nullptr, TailForm::text, live);
  renderings.of(nullptr, TailForm::text, other.slices().front());
  const uint64_t before = renderings.evaluations();
  CHECK(before == 5);
  uint64_t alone = 0;
  for (const Slice& slice : far.slices()) {
    if (slice.chunk == live.chunk) break;
    renderings.of(nullptr, TailForm::text, slice);
    alone += slice.records;
    CHECK(renderings.bytes() <= (1 << 20) * 2 / 5);
  }
  CHECK(alone > 19'000);
  CHECK(renderings.evaluations() == before + alone);
  renderings.of(nullptr, TailForm::text, live);
  CHECK(renderings.evaluations() == before + alone);
}

TEST_CASE("readers on many threads share while the channel grows") {
  for (const size_t bytes : {Renderings::kBytes, size_t{100'000}}) {
    SharedFixture f;
    Renderings renderings(bytes);
    constexpr int kThreads = 4, kRounds = 2000;
    std::vector<std::unique_ptr<SharedFixture::Reader>> readers;
    for (int i = 0; i < kThreads; ++i) readers.push_back(std::make_unique<SharedFixture::Reader>(f));
    const TailFilterPtr filters[] = {nullptr, grep("[02468]$")};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (auto& reader : readers)
      threads.emplace_back([&] {
        for (uint64_t got = 0; got < kRounds * 3;) {
          for (const Slice& slice : reader->slices()) {
            got += slice.records;
            for (const auto& filter : filters) {
              const RenderedSlice rendered = renderings.of(filter, TailForm::events, slice);
              std::string text;
              for (const std::string_view piece : rendered.pieces()) text += piece;
              wrong += text != plainly(filter, TailForm::events, slice);
            }
          }
        }
      });
    for (int i = 0; i < kRounds; ++i) f.append(numbered(i, 3, 40));
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(renderings.evaluations() >= kRounds * 3 * 2);
    if (bytes == Renderings::kBytes) CHECK(renderings.evaluations() == kRounds * 3 * 2);
    CHECK(renderings.bytes() <= bytes);
  }
}
