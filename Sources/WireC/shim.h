#pragma once
#include "gatehouse/link/v1/enrollment.pb-c.h"
#include "gatehouse/link/v1/link.pb-c.h"
#include "gatehouse/tools/v1/call.pb-c.h"
#include "gatehouse/tools/v1/effects.pb-c.h"
#include "gatehouse/tools/v1/files.pb-c.h"
#include "gatehouse/tools/v1/process.pb-c.h"
