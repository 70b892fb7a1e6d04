/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-memory.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number behind @name in a text of lines “name number”; G_MAXUINT64: there is none. */
static guint64
number_of (const char *text, const char *name)
{
  const char *at = text ? strstr (text, name) : NULL;

  return at ? g_ascii_strtoull (at + strlen (name), NULL, 10) : G_MAXUINT64;
}

static guint64
system_leaves (void)
{
  g_autofree char *text = NULL;
  guint64 kib;

  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL))
    return G_MAXUINT64;
  kib = number_of (text, "MemAvailable:");
  return kib == G_MAXUINT64 ? kib : kib * 1024;
}

/* G_MAXUINT64 for “max” and for no such file. */
static guint64
group_number (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !g_ascii_isdigit (text[0]))
    return G_MAXUINT64;
  return g_ascii_strtoull (text, NULL, 10);
}

/* What is cached of files counts as used, and is given up when memory is asked for. */
static guint64
group_leaves (const char *folder)
{
  guint64 most = group_number (folder, "memory.max"), used = group_number (folder, "memory.current");
  g_autofree char *path = g_build_filename (folder, "memory.stat", NULL);
  g_autofree char *text = NULL;
  guint64 cached = 0;

  if (most == G_MAXUINT64 || used == G_MAXUINT64)
    return G_MAXUINT64;
  if (g_file_get_contents (path, &text, NULL, NULL) && number_of (text, "inactive_file ") != G_MAXUINT64)
    cached = number_of (text, "inactive_file ");
  used -= MIN (used, cached);
  return most - MIN (most, used);
}

/* The group itself and those around it. */
static guint64
groups_leave (void)
{
  g_autofree char *text = NULL, *group = NULL;
  const char *line;
  guint64 least = G_MAXUINT64;

  if (!g_file_get_contents ("/proc/self/cgroup", &text, NULL, NULL) || !(line = strstr (text, "0::/")))
    return G_MAXUINT64;
  group = g_strndup (line + strlen ("0::"), strcspn (line + strlen ("0::"), "\n"));
  for (char *end;; *end = 0)
    {
      g_autofree char *folder = g_build_filename ("/sys/fs/cgroup", group, NULL);

      least = MIN (least, group_leaves (folder));
      end = strrchr (group, '/');
      if (!end || !group[0])
        return least;
    }
}

static guint64
limit_leaves (guint64 mappings)
{
  g_autofree char *text = NULL;
  struct rlimit limit;
  guint64 used;

  if (getrlimit (RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || !g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return G_MAXUINT64;
  used = g_ascii_strtoull (text, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE) + mappings + LK_MEMORY_RESERVE;
  return limit.rlim_cur - MIN (limit.rlim_cur, used);
}

guint64
lk_memory_of_threads (guint n)
{
  pthread_attr_t attributes;
  size_t stack = 0;

  if (pthread_attr_init (&attributes) != 0)
    return 0;
  pthread_attr_getstacksize (&attributes, &stack);
  pthread_attr_destroy (&attributes);
  return (guint64) n * stack;
}

guint64
lk_memory_available (guint64 mappings)
{
  return MIN (MIN (system_leaves (), groups_leave ()), limit_leaves (mappings));
}
