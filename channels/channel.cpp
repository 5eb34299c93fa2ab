#include "channels/channel.h"

#include "channels/log.h"

namespace tailrace {

Channel::Channel() = default;
Channel::~Channel() = default;

}  // namespace tailrace
