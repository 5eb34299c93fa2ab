#include "channels/channel.h"

#include "channels/log.h"

namespace tailrace {

Channel::Channel() = default;
Channel::~Channel() = default;

std::string Channel::name() const {
  const std::lock_guard lock(name_mutex_);
  return name_;
}

void Channel::set_name(std::string name) {
  const std::lock_guard lock(name_mutex_);
  name_ = std::move(name);
}

}  // namespace tailrace
