#include "cli/storage.h"

#include "base/hmac.h"
#include "base/ids.h"
#include "channels/disk/auth_file.h"

namespace tailrace {

StoreLimits limits_of(const Settings& settings) {
  return {.log = {.history = settings.channel_records,
                  .bytes = settings.channel_bytes,
                  .age = std::chrono::duration_cast<std::chrono::microseconds>(settings.channel_age).count()},
          .memory_bytes = settings.memory_bytes,
          .disk_bytes = settings.disk_bytes};
}

Storage::Storage(const Settings& settings, AppendObserver& observer) : dedupe_seed_(random_bits()) {
  MemoryCatalog::Options options{.drains_per_channel = settings.channel_drains};
  if (settings.data_dir.empty()) {
    store_ = std::make_unique<MemoryStore>(MemoryStore::Options{
        .limits = limits_of(settings).log, .budget = settings.memory_bytes, .observer = &observer});
  } else {
    std::string error;
    auto disk = DiskStore::open({.dir = settings.data_dir,
                                 .limits = limits_of(settings),
                                 .durable = settings.ack == Ack::durable,
                                 .observer = &observer},
                                error);
    if (!disk) throw NoDataDir(error);
    options.password_key = disk->password_key();
    options.journal = &disk->journal();
    dedupe_seed_ = disk->dedupe_seed();
    remarks_ = disk->remarks();
    disk_ = disk.get();
    store_ = std::move(disk);
  }
  if (options.password_key.empty()) options.password_key = random_hex(32);
  link_key_ = hmac_sha256(options.password_key, "links");
  choose_auth(settings);
  catalog_ = std::make_unique<MemoryCatalog>(*store_, std::move(options));
  const size_t colon = auth_.find(':');
  catalog_->set_admin(auth_.substr(0, colon), std::string_view(auth_).substr(colon + 1));
}

Storage::~Storage() {
  stop();
}

void Storage::choose_auth(const Settings& settings) {
  auth_ = settings.auth_user + ":" + settings.auth_password;
  if (!settings.auth_generated) return;
  auth_is_new_ = true;
  auth_ = "admin:" + random_hex(16);
  if (!disk_) return;
  std::string error;
  auto kept = keep_auth(settings.data_dir, error);
  if (!kept) throw NoDataDir(error);
  auth_ = std::move(kept->auth);
  auth_is_new_ = kept->generated;
  if (!kept->warning.empty()) remarks_.push_back(kept->warning);
}

std::vector<PostVerdict> Storage::posts() const {
  return disk_ ? disk_->posts() : std::vector<PostVerdict>{};
}

void Storage::restore() {
  if (disk_) catalog_->restore(disk_->contents());
}

void Storage::start() {
  if (disk_) disk_->start();
}

void Storage::stop() {
  if (disk_) disk_->stop();
}

}  // namespace tailrace
