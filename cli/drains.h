#pragma once
// `tailrace drains`: the drains of a channel, made, looked at and steered through the API.

namespace tailrace {

int run_drains(int argc, char** argv);

}  // namespace tailrace
