#include "channels/disk/keeper.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/ids.h"
#include "base/log.h"
#include "base/thread_name.h"
#include "channels/disk/segment_writer.h"

namespace tailrace {
namespace {

constexpr size_t kAhead = 2;
constexpr Micros kMinute = Micros{60} * 1'000'000;
constexpr uint64_t kMostBeyond = 2;                    // segments
constexpr unsigned kMostSqueezes = 16, kPatience = 8;  // ticks: a sync may take that long

bool is_full(error_code error) {
  return error == boost::system::errc::no_space_on_device || error.value() == EDQUOT;
}

}  // namespace

Keeper::Keeper(Parts parts)
    : parts_(std::move(parts)),
      disk_bytes_(parts_.disk_bytes),
      memory_bytes_(parts_.memory_bytes),
      age_(parts_.cleaner.age),
      cleaner_([this] {
        Cleaner::Parts own = parts_.cleaner;
        own.copy = [this](Copies copies) {
          copies.done = [this, done = std::move(copies.done)](Result<void> result) {
            done(std::move(result));
            wake();
          };
          parts_.cleaner.copy(std::move(copies));
        };
        return own;
      }()),
      bounds_(parts_.segments, parts_.logs),
      next_segment_(parts_.next_segment) {}

Keeper::~Keeper() {
  stop();
}

void Keeper::start() {
  count_others();
  prepare(UINT64_MAX);
  tell_room(true);
  started_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Keeper::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  while (seal_next(true));
  std::deque<PreparedSegment> left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(prepared_);
  }
  changed_.notify_all();
  parts_.room.set_open(false);
  for (const PreparedSegment& p : left) (void)unlink_file(p.to_write.path());  // else the next start does
}

void Keeper::set_limits(const StoreLimits& limits) {
  disk_bytes_ = limits.disk_bytes;
  memory_bytes_ = limits.memory_bytes;
  age_ = limits.log.age;
  wake();
}

// ---- any thread ------------------------------------------------------------------------------------------

std::optional<PreparedSegment> Keeper::take_prepared(bool for_copies) {
  const size_t least = for_copies ? 1 : 2;
  std::unique_lock lock(mutex_);
  if (prepared_.size() < least) {
    wanted_ = woken_ = true;
    changed_.notify_all();
    const uint64_t asked = rounds_;
    // The round that runs now may have been too far already; the one behind it says yes or no.
    changed_.wait(lock,
                  [&] { return prepared_.size() >= least || stopped_ || (!able_ && rounds_ >= asked + 2); });
    wanted_ = false;
    if (prepared_.size() < least) return {};
  }
  PreparedSegment taken = std::move(prepared_.front());
  prepared_.pop_front();
  taken_ = taken.header.segment;
  woken_ = true;
  lock.unlock();
  changed_.notify_all();
  return taken;
}

void Keeper::seal(SegmentPtr segment) {
  {
    const std::lock_guard lock(mutex_);
    to_seal_.push_back(std::move(segment));
    woken_ = true;
  }
  changed_.notify_all();
}

std::string Keeper::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Keeper::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

// ---- its thread ------------------------------------------------------------------------------------------

void Keeper::run(const std::stop_token& stop) {
  name_this_thread("disk keeper");
  Mono next_tick = mono_now();
  while (!stop.stop_requested()) {
    const bool tick = mono_now() >= next_tick;
    if (tick) next_tick = mono_now() + parts_.tick;
    if (round(tick)) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, next_tick, [&] { return woken_; });
  }
}

/// One of everything; whether there is more to do at once.
bool Keeper::round(bool tick) {
  bool wanted;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    wanted = wanted_;
  }
  const Micros now = parts_.now();
  if (tick) {
    stuck_ticks_ = at_bound_ && !progress_ ? stuck_ticks_ + 1 : 0;
    progress_ = false;
  }
  // Beyond the bound for what was read before Room was full; and where what was for copies is full of that.
  const uint64_t beyond = wanted || (tick && at_bound_ && prepared() == 0) ? kMostBeyond : 0;
  if (tick || wanted || !error_) prepare(disk_bytes_ + beyond * parts_.segment_bytes);
  bool more = seal_next(tick) || wanted;
  hold_bounds(now, tick);
  const Cleaner::Step step = clean(now, tick);
  more |= step == Cleaner::Step::copied || step == Cleaner::Step::removed;
  if (step == Cleaner::Step::removed) prepare(disk_bytes_);
  tell_room(tick);
  return more;
}

/// Two, of which none makes more than `most` bytes of all.
void Keeper::prepare(uint64_t most) {
  error_ = {};
  at_bound_ = false;
  while (prepared() < kAhead) {
    at_bound_ = used() + parts_.segment_bytes > most;
    if (at_bound_) return;
    if (const auto done = prepare_one(); !done) {
      error_ = done.error();
      return;
    }
  }
}

Result<void> Keeper::prepare_one() {
  const uint64_t salts = random_bits();
  // A number that failed is not used again: its file may be there still.
  const SegmentHeader header{next_segment_++,
                             parts_.data_dir,
                             {uint32_t(salts), uint32_t(salts >> 32)},
                             parts_.now(),
                             parts_.segment_bytes};
  auto file = prepare_segment(parts_.dir, header);
  if (!file) return file.error();
  auto to_read = File::open_to_read(file->path());
  if (!to_read) {
    (void)unlink_file(file->path());
    return to_read.error();
  }
  {
    const std::lock_guard lock(mutex_);
    prepared_.push_back({header, std::move(*file), std::move(*to_read)});
  }
  changed_.notify_all();
  return {};
}

/// One segment, or, at a tick, also those that could not be sealed before; false: there is none to be sealed.
bool Keeper::seal_next(bool tick) {
  if (tick) {
    std::vector<SegmentPtr> again;
    again.swap(unsealed_);
    for (SegmentPtr& segment : again)
      if (!seal_one(*segment)) unsealed_.push_back(std::move(segment));
  }
  SegmentPtr next;
  {
    const std::lock_guard lock(mutex_);
    if (to_seal_.empty()) return false;
    next = std::move(to_seal_.front());
    to_seal_.pop_front();
  }
  next->closed = true;
  if (const auto done = seal_one(*next); !done) {
    log_warn("a segment could not be sealed",
             fmt::format("segment={:016x} error=\"{}\"", next->header.segment, done.error().message()));
    if (done.error() != make_error_code(DiskErrc::too_big)) unsealed_.push_back(std::move(next));
  }
  return true;
}

Result<void> Keeper::seal_one(Segment& segment) {
  auto file = File::open_to_write(segment.file.path());
  if (!file) return file.error();
  const EndText end{0, 0, segment.last_group, 0, segment.mark};
  const auto sealed =
      seal_segment(*file, segment.header, segment.entries_end, *segment.growing, end, parts_.now());
  if (!sealed) return sealed;
  auto index = StoredIndex::open(segment.file, segment.header.salts);
  if (!index) return index.error();
  const auto size = file->size();
  if (!size) return size.error();
  parts_.segments.sealed(segment, *index, *size);
  return {};
}

// ---- bounds ----------------------------------------------------------------------------------------------

void Keeper::hold_bounds(Micros now, bool tick) {
  bounds_.hold_memory(memory_bytes_);
  const bool minute = now >= next_minute_ || now < next_minute_ - 2 * kMinute;
  if (minute) {
    next_minute_ = now + kMinute;
    count_others();
    bounds_.hold_age(now - age_, now);
    cleaner_.look_again();
  }
  // Pressed: were what is to be prepared there, and one more, they would not fit. On a big disk sooner, so
  // that there is time for copies.
  const uint64_t used_now = used(), ahead = kAhead * parts_.segment_bytes;
  const uint64_t missing = (kAhead + 1 - prepared()) * parts_.segment_bytes;
  const uint64_t disk_bytes = disk_bytes_;
  pressed_ = used_now + missing + disk_bytes / 32 > disk_bytes;
  uint64_t most = (disk_bytes - std::min(disk_bytes, ahead + others_)) / 4 * 3;
  if (!pressed_ && !is_full(error_)) cleaner_.forget_rounds();
  const bool near = pressed_ || is_full(error_) || used_now > most;
  const bool due = minute || used_now != held_at_ || (tick && (pressed_ || is_full(error_)));
  if (!near || !due) return;
  held_at_ = used_now;
  // More lives than the logs believe: they give up more than they should have to.
  if (pressed_)
    for (unsigned i = std::min(cleaner_.barren_rounds() + stuck_ticks_ / kPatience, kMostSqueezes); i > 0;
         --i)
      most -= most / 8;
  const Bounds::Held held = bounds_.hold_disk(most, now);
  live_ = held.live;
  if (held.lost) cleaner_.look_again();
}

Cleaner::Step Keeper::clean(Micros now, bool tick) {
  if (cleaning_failed_ && !tick) return Cleaner::Step::idle;
  // Where others filled the disk, it is worth it only if much is dead somewhere.
  const bool worth = live_ < parts_.segments.bytes() / 8 * 7 && cleaner_.barren_rounds() == 0;
  const auto step = cleaner_.step(now, pressed_ || (is_full(error_) && worth));
  cleaning_failed_ = !step;
  if (!step) {
    progress_ = false;
    static OncePerSecond often;
    if (often.due()) log_warn("a segment could not be cleaned", "error=\"" + step.error().message() + "\"");
    return Cleaner::Step::idle;
  }
  progress_ |= *step == Cleaner::Step::removed || *step == Cleaner::Step::copied;
  if (*step == Cleaner::Step::removed) {
    const SegmentPtr oldest = parts_.segments.oldest();
    std::erase_if(unsealed_, [&](const SegmentPtr& segment) {
      return !oldest || segment->header.segment < oldest->header.segment;
    });
  }
  return *step;
}

/// Two are prepared: open. They cannot be now: full, and nobody waits for one.
void Keeper::tell_room(bool tick) {
  at_bound_ |= used() > disk_bytes_;
  const bool unable = error_ || at_bound_;
  std::string trouble;
  if (error_)
    trouble = "cannot prepare a segment: " + error_.message();
  else if (unable)
    trouble = "cannot prepare a segment: TAILRACE_DISK_BYTES is used up";
  bool ready;
  {
    const std::lock_guard lock(mutex_);
    ready = prepared_.size() >= kAhead && !unable;
    ++rounds_;
    if (ready || unable) {
      able_ = ready;
      trouble_ = trouble;
    }
  }
  changed_.notify_all();
  if (ready) {
    // What the writer closed is opened again at a tick: its disk may go on failing.
    if (!parts_.room.said_full() || (!closed_ && !tick)) return;
    if (said_) log_info("segments can be prepared again");
    closed_ = said_ = false;
    parts_.room.set_open(true);
    if (started_) parts_.retry();
  } else if (unable) {
    // Waiting for copies at the bound is no news.
    if (!said_ && (error_ || (tick && closed_))) log_warn(trouble);
    said_ |= error_ || (tick && closed_);
    closed_ = true;
    parts_.room.set_open(false);
  }
}

/// Of files that no set and no list knows: segments that cannot be read, and what others left there.
void Keeper::count_others() {
  const auto names = list_dir(parts_.dir);
  if (!names) return;
  std::vector<std::string> known;
  for (const SegmentPtr& segment : parts_.segments.all())
    known.push_back(segment_name(segment->header.segment));
  others_ = 0;
  for (const std::string& name : *names) {
    if (const auto number = segment_number(name); number && *number >= parts_.next_segment) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (const auto file = File::open_to_read(parts_.dir + "/" + name))
      if (const auto size = file->size()) others_ += *size;
  }
}

/// The writer puts what it took into the set at once, but not in one step.
uint64_t Keeper::used() const {
  uint64_t ahead, taken;
  {
    const std::lock_guard lock(mutex_);
    ahead = prepared_.size();
    taken = taken_;
  }
  if (taken > parts_.segments.newest()) ++ahead;
  return parts_.segments.bytes() + ahead * parts_.segment_bytes + others_;
}

size_t Keeper::prepared() const {
  const std::lock_guard lock(mutex_);
  return prepared_.size();
}

}  // namespace tailrace
