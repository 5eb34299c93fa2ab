#include "base/thread_name.h"

#include <pthread.h>

#include <algorithm>

namespace tailrace {

void name_this_thread(std::string name) {
  constexpr size_t kMost = 15;
  name.resize(std::min(name.size(), kMost));
  pthread_setname_np(pthread_self(), name.c_str());
}

}  // namespace tailrace
