#include "channels/disk/catalog_file.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/thread_name.h"
#include "channels/disk/crash_point.h"
#include "channels/disk/io.h"
#include "channels/errc.h"

namespace tailrace {
namespace {

constexpr uint32_t kSkip = 1024;  // indices and drain ids that a lost catalog may have given
constexpr std::chrono::seconds kLongestRest{5}, kRetryCopy{10};

Result<CatalogRows> read_own(const DatabaseFile& file, Database& db) {
  if (const auto there = file.look(); !there) return there.error();
  auto opened = Database::open(file.path(), Database::Sync::full);
  if (!opened) return opened.error();
  auto rows = read_catalog(*opened);
  if (rows)
    db = std::move(*opened);
  else
    opened->leave_as_is();
  return rows;
}

Result<CatalogRows> read_copy(const std::string& path) {
  auto opened = Database::open_to_read(path);
  if (!opened) return opened.error();
  return read_catalog(*opened);
}

void add(CatalogChange& to, const Token& token) {
  to.alter("SELECT 'tokens', * FROM tokens WHERE id = ?1", token.id,
           "INSERT INTO tokens(id, channel, name, strict) VALUES(?1, ?2, ?3, ?4)", token.id,
           token.channel->index, token.name, token.strict);
}

void remove(CatalogChange& to, const Token& token) {
  to.alter("SELECT 'tokens', * FROM tokens WHERE id = ?1", token.id, "DELETE FROM tokens WHERE id = ?1",
           token.id);
}

}  // namespace

// ---- opening ---------------------------------------------------------------------------------------------

std::unique_ptr<CatalogFile> CatalogFile::open(const std::string& dir, std::string& error) {
  std::unique_ptr<CatalogFile> file(new CatalogFile(dir));
  error = file->find();
  if (!error.empty()) return nullptr;
  file->upgrade();
  file->next_index_ = file->rows_.contents.next_index;
  if (file->from_copy_) file->skip_what_a_newer_one_may_have_given();
  for (const auto& channel : file->rows_.contents.channels) {
    if (channel.index >= file->present_.size()) file->present_.resize(channel.index + 1);
    file->present_[channel.index] = true;
  }
  file->gaps_ = file->rows_.gaps;
  file->copier_ =
      std::jthread([self = file.get()](const std::stop_token& stop) { self->copy_after_changes(stop); });
  return file;
}

std::string CatalogFile::find() {
  copy_.remove_new();
  own_.remove_new();
  auto own = read_own(own_, db_);
  if (!own && !is_missing(own.error()) && !is_damage(own.error()))
    return own_.refusal(own.error(), kCatalogVersion);
  const auto there = copy_.look();
  const auto copy = there ? read_copy(copy_.path()) : there.error();

  if (own && !(copy && copy->changes > own->changes)) {
    copy_due_ = !copy || copy->changes != own->changes || copy->sum != own->sum;
    rows_ = std::move(*own);
    return "";
  }
  if (!copy && !is_missing(copy.error()) && !is_damage(copy.error()))
    return copy_.refusal(copy.error(), kCatalogVersion);
  if (own) {
    db_.leave_as_is();
    db_ = {};
  }
  const bool first_start = !copy && is_missing(copy.error()) && !own && is_missing(own.error());
  if (!first_start)
    warning_ =
        std::string("catalog.db is ") +
        (own                       ? "older than its copy"
         : is_missing(own.error()) ? "missing"
                                   : "damaged and kept as catalog.bad.db") +
        (copy ? "; its copy is used" : ", and there is no good copy: channels, tokens and drains are lost");
  if (const auto aside = own_.set_aside(); !aside) return own_.refusal(aside.error(), kCatalogVersion);
  const std::string error = copy ? use_copy() : make_new();
  if (!error.empty()) return error;
  auto opened = read_own(own_, db_);
  if (!opened) return own_.refusal(opened.error(), kCatalogVersion);
  rows_ = std::move(*opened);
  from_copy_ = bool(copy);
  copy_due_ = true;
  return "";
}

/// The copy itself, not a copy of it: that works on a full disk.
std::string CatalogFile::use_copy() {
  if (const auto renamed = rename_file(copy_.path(), own_.path()); !renamed)
    return copy_.refusal(renamed.error(), kCatalogVersion);
  if (const auto synced = sync_dir(own_.dir()); !synced) return own_.refusal(synced.error(), kCatalogVersion);
  return "";
}

std::string CatalogFile::make_new() {
  (void)copy_.set_aside();
  const auto made = own_.make(create_catalog);
  return made ? "" : "cannot make " + own_.path() + ": " + made.error().message();
}

/// If there is no room for it, the next change tries again.
void CatalogFile::upgrade() {
  if (rows_.version == kCatalogVersion) return;
  if (const auto done = upgrade_catalog(db_, rows_); !done)
    log_warn("catalog.db is of an older version and could not be brought to this one",
             "error=\"" + done.error().message() + "\"");
  else
    copy_due_ = true;
}

/// So that nobody who kept the id of a channel or a drain that is lost with catalog.db meets another's.
/// Stored if there is room; for this process it holds anyway.
void CatalogFile::skip_what_a_newer_one_may_have_given() {
  CatalogContents& contents = rows_.contents;
  const uint32_t first = contents.next_index, behind = first + kSkip;
  contents.next_index = behind;
  contents.next_drain += kSkip;
  CatalogChange change(db_, rows_);
  change.alter("SELECT 'gaps', * FROM gaps WHERE first = ?1", first, "INSERT INTO gaps VALUES(?1, ?2)", first,
               behind);
  change.set_meta("next_index", behind);
  change.set_meta("next_drain", contents.next_drain);
  if (!change.commit(rows_)) return;
  rows_.gaps.emplace_back(first, behind);
  next_index_ = behind;
}

CatalogFile::Loaded CatalogFile::load() {
  const std::lock_guard lock(mutex_);
  return {rows_.data_dir, rows_.password_key, rows_.dedupe_seed, std::exchange(rows_.contents, {}),
          from_copy_,     std::move(warning_)};
}

CatalogFile::~CatalogFile() {
  copier_.request_stop();
  if (copier_.joinable()) copier_.join();
}

bool CatalogFile::was_removed(uint32_t index) const {
  const std::lock_guard lock(indices_mutex_);
  if (index >= next_index_ || (index < present_.size() && present_[index])) return false;
  return std::ranges::none_of(gaps_,
                              [&](const auto& gap) { return index >= gap.first && index < gap.second; });
}

// ---- changes ---------------------------------------------------------------------------------------------

Result<void> CatalogFile::change(const std::function<void(CatalogChange&)>& alter) {
  {
    const std::lock_guard lock(mutex_);
    const auto make = [&]() -> Result<void> {
      if (const auto done = upgrade_catalog(db_, rows_); !done) return done;
      CatalogChange change(db_, rows_);
      alter(change);
      return change.commit(rows_);
    };
    if (const auto done = make(); !done) {
      static OncePerSecond often;
      if (const uint64_t times = often.due())
        log_error("a change of the catalog could not be stored",
                  "error=\"" + done.error().message() + "\" times=" + std::to_string(times));
      return make_error_code(ChannelErrc::not_stored);
    }
    crash_point("catalog.committed");
    copy_due_ = true;
  }
  changed_.notify_one();
  return {};
}

Result<void> CatalogFile::set_data_dir(const std::array<uint8_t, 16>& id) {
  return change([&](CatalogChange& to) { to.set_meta("data_dir", std::as_bytes(std::span(id))); });
}

Result<void> CatalogFile::channel_changed(const ChannelChange& wanted) {
  const Channel& channel = wanted.channel;
  const uint32_t next = [&] {
    const std::lock_guard lock(indices_mutex_);
    return next_index_;
  }();
  const auto done = change([&](CatalogChange& to) {
    if (wanted.created && channel.index > next)
      to.alter("SELECT 'gaps', * FROM gaps WHERE first = ?1", next, "INSERT INTO gaps VALUES(?1, ?2)", next,
               channel.index);
    to.alter("SELECT 'channels', * FROM channels WHERE idx = ?1", channel.index,
             "INSERT INTO channels VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(idx) DO UPDATE SET name = ?3, "
             "no_tail = ?4, no_history = ?5",
             channel.index, channel.id, wanted.name, wanted.no_tail, wanted.no_history);
    for (const TokenPtr& token : wanted.gone) remove(to, *token);
    for (const TokenPtr& token : wanted.made) add(to, *token);
    if (wanted.created) to.set_meta("next_index", channel.index + 1);
  });
  if (!done || !wanted.created) return done;
  const std::lock_guard lock(indices_mutex_);
  if (channel.index > next) gaps_.emplace_back(next, channel.index);
  if (channel.index >= present_.size()) present_.resize(channel.index + 1);
  present_[channel.index] = true;
  next_index_ = channel.index + 1;
  return {};
}

Result<void> CatalogFile::channel_removed(const Channel& channel) {
  const auto done = change([&](CatalogChange& to) {
    to.alter("SELECT 'tokens', * FROM tokens WHERE channel = ?1", channel.index,
             "DELETE FROM tokens WHERE channel = ?1", channel.index);
    to.alter("SELECT 'drains', * FROM drains WHERE channel = ?1", channel.index,
             "DELETE FROM drains WHERE channel = ?1", channel.index);
    to.alter("SELECT 'channels', * FROM channels WHERE idx = ?1", channel.index,
             "DELETE FROM channels WHERE idx = ?1", channel.index);
  });
  if (!done) return done;
  const std::lock_guard lock(indices_mutex_);
  present_.at(channel.index) = false;
  return {};
}

Result<void> CatalogFile::token_added(const Token& token) {
  return change([&](CatalogChange& to) { add(to, token); });
}

Result<void> CatalogFile::token_removed(const Token& token) {
  return change([&](CatalogChange& to) { remove(to, token); });
}

Result<void> CatalogFile::drain_added(const DrainEntry& drain) {
  return change([&](CatalogChange& to) {
    to.alter("SELECT 'drains', * FROM drains WHERE id = ?1", drain.id,
             "INSERT INTO drains VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", drain.id, drain.token,
             drain.channel->index, drain.url, drain.start.next.value, drain.start.ordinal, drain.options,
             drain.paused);
    to.set_meta("next_drain", drain.id + 1);
  });
}

Result<void> CatalogFile::drain_url_set(const DrainEntry& drain) {
  return change([&](CatalogChange& to) {
    to.alter("SELECT 'drains', * FROM drains WHERE id = ?1", drain.id,
             "UPDATE drains SET url = ?2, start_number = ?3, start_ordinal = ?4, options = ?5 WHERE id = ?1",
             drain.id, drain.url, drain.start.next.value, drain.start.ordinal, drain.options);
  });
}

Result<void> CatalogFile::drain_paused(const DrainEntry& drain) {
  return change([&](CatalogChange& to) {
    to.alter("SELECT 'drains', * FROM drains WHERE id = ?1", drain.id,
             "UPDATE drains SET paused = ?2 WHERE id = ?1", drain.id, drain.paused);
  });
}

Result<void> CatalogFile::drain_removed(const DrainEntry& drain) {
  return change([&](CatalogChange& to) {
    to.alter("SELECT 'drains', * FROM drains WHERE id = ?1", drain.id, "DELETE FROM drains WHERE id = ?1",
             drain.id);
  });
}

Result<void> CatalogFile::credential_added(const Credential& credential) {
  return change([&](CatalogChange& to) {
    to.alter("SELECT 'credentials', * FROM credentials WHERE id = ?1", credential.id,
             "INSERT OR REPLACE INTO credentials(id, name, full_api, any_channel, password_hash) "
             "VALUES(?1, ?2, ?3, ?4, ?5)",
             credential.id, credential.name, credential.permissions.full_api,
             credential.permissions.any_channel, std::as_bytes(std::span(credential.password_hash)));
    constexpr const char* readers = "SELECT 'readers', * FROM readers WHERE credential = ?1";
    to.alter(readers, credential.id, "DELETE FROM readers WHERE credential = ?1", credential.id);
    for (const std::string& channel : credential.permissions.read)
      to.alter(readers, credential.id, "INSERT OR IGNORE INTO readers VALUES(?1, ?2)", credential.id,
               channel);
  });
}

Result<void> CatalogFile::credential_removed(std::string_view id) {
  return change([&](CatalogChange& to) {
    to.alter("SELECT 'readers', * FROM readers WHERE credential = ?1", id,
             "DELETE FROM readers WHERE credential = ?1", id);
    to.alter("SELECT 'credentials', * FROM credentials WHERE id = ?1", id,
             "DELETE FROM credentials WHERE id = ?1", id);
  });
}

// ---- the copy --------------------------------------------------------------------------------------------

void CatalogFile::copy_after_changes(const std::stop_token& stop) {
  name_this_thread("catalog copier");
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return copy_due_; })) {
    copy_due_ = false;
    const Mono begun = mono_now();
    const auto done = make_copy(lock);
    Mono::duration rest = std::min<Mono::duration>(4 * (mono_now() - begun), kLongestRest);
    if (!done) {
      log_warn("the catalog's copy could not be made; the one before is kept",
               "error=\"" + done.error().message() + "\"");
      if (stop.stop_requested()) return;
      copy_due_ = true;
      rest = kRetryCopy;
    }
    changed_.wait_for(lock, stop, rest, [] { return false; });
  }
}

Result<void> CatalogFile::make_copy(std::unique_lock<std::mutex>& lock) {
  copy_.remove_new();
  const auto copied = db_.copy_to(copy_.new_path(), [&] { lock.unlock(), lock.lock(); });
  lock.unlock();
  const auto place = [&]() -> Result<void> {
    if (!copied) return copied;
    if (const auto whole = read_copy(copy_.new_path()); !whole) return whole.error();
    return copy_.rename_new([] { crash_point("catalog.copy_synced"); });
  };
  const auto done = place();
  if (done)
    crash_point("catalog.copy_renamed");
  else
    copy_.remove_new();
  lock.lock();
  return done;
}

}  // namespace tailrace
