// crash_point: places where the fault suite kills the process on purpose. Nothing at all unless
// built with STOKER_CRASH_POINTS (tests/faults/build.sh): then CRASH_POINT=NAME:N in the
// environment kills the process, as by kill -9, when it passes NAME for the Nth time. Used by live
// and by kafka's producer only.
#pragma once

#ifdef STOKER_CRASH_POINTS
// Kills here, if it is this place's turn.
void crash_point(const char *name);
// Kills a few milliseconds later, from another thread: for the middle of a call that blocks.
void crash_point_soon(const char *name);
#define CRASH_POINT(name) crash_point(name)
#define CRASH_POINT_SOON(name) crash_point_soon(name)
#else
#define CRASH_POINT(name) ((void)0)
#define CRASH_POINT_SOON(name) ((void)0)
#endif
