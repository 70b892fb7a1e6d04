/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gpu-private.h"

#include <string.h>

/* Time a dispatch costs beside its work. */
#define DISPATCH_SECONDS 5e-6

/* Before the device's pace is known submissions are planned this short a part of their limit; afterwards four
 * tenths, so that an estimate that is wrong by a factor of two still keeps it. */
#define FIRST_SHARE 0.08
#define PLANNED_SHARE 0.4

struct _LkGpuRecording
{
  LkGpuDevice *device;
  GArray *commands; /* LkGpuCommand */
  gboolean profiling;
  gboolean has_run;

  VkCommandPool pool;
  GArray *submissions; /* VkCommandBuffer */
  GArray *estimates;   /* double: estimated seconds of each, at pace 1 */
  VkDescriptorPool descriptors;
  VkDescriptorSet *sets; /* one a command */
  VkQueryPool queries;   /* two a submission, then two a command when profiling */
  double *seconds;       /* of each command in the last run, when profiling */
  guint n_dispatches, n_barriers;
  gboolean too_long; /* the last run passed the limit of a submission: split anew */
};

static double
estimate (LkGpuRecording *self, const LkGpuDispatch *dispatch)
{
  const LkDevicePlan *plan = &self->device->plan;

  return DISPATCH_SECONDS + MAX (dispatch->flops / plan->flops_per_s, dispatch->bytes / plan->bytes_per_s);
}

static double
target_seconds (LkGpuRecording *self)
{
  double limit = self->device->plan.submission_seconds;

  if (limit <= 0)
    return G_MAXDOUBLE;
  return self->device->pace > 0 ? PLANNED_SHARE * limit / self->device->pace : FIRST_SHARE * limit;
}

/* Ranges touched since the last barrier. */
typedef struct
{
  LkGpuBuffer *buffer;
  guint64 begin, end;
  LkGpuAccess access;
} Touched;

static gboolean
conflicts (const GArray *touched, const LkGpuDispatch *dispatch)
{
  for (guint i = 0; i < dispatch->n_bindings; i++)
    {
      LkGpuSlice s = dispatch->bindings[i].slice;
      for (guint k = 0; k < touched->len; k++)
        {
          const Touched *t = &g_array_index (touched, Touched, k);
          if (t->buffer == s.buffer && t->begin < s.offset + s.size && s.offset < t->end
              && ((t->access | dispatch->bindings[i].access) & LK_GPU_WRITE))
            return TRUE;
        }
    }
  return FALSE;
}

static void
touch (GArray *touched, const LkGpuDispatch *dispatch)
{
  for (guint i = 0; i < dispatch->n_bindings; i++)
    {
      LkGpuSlice s = dispatch->bindings[i].slice;
      Touched t = { s.buffer, s.offset, s.offset + s.size, dispatch->bindings[i].access };
      g_array_append_val (touched, t);
    }
}

static void
order (VkCommandBuffer commands)
{
  const VkMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
    .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT
                     | VK_ACCESS_TRANSFER_WRITE_BIT,
  };
  const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

  vkCmdPipelineBarrier (commands, stages, stages, 0, 1, &barrier, 0, NULL, 0, NULL);
}

static VkResult
make_descriptors (LkGpuRecording *self)
{
  VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0 };
  VkDescriptorPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .poolSizeCount = 1,
    .pPoolSizes = &size,
  };

  self->n_dispatches = 0;
  for (guint i = 0; i < self->commands->len; i++)
    {
      const LkGpuCommand *command = &g_array_index (self->commands, LkGpuCommand, i);
      if (command->kind != LK_GPU_COMMAND_DISPATCH)
        continue;
      self->n_dispatches++;
      size.descriptorCount += command->dispatch.n_bindings;
    }
  if (size.descriptorCount == 0)
    return VK_SUCCESS;
  info.maxSets = self->n_dispatches;
  return vkCreateDescriptorPool (self->device->device, &info, NULL, &self->descriptors);
}

static VkResult
make_set (LkGpuRecording *self, guint index)
{
  const LkGpuDispatch *dispatch = &g_array_index (self->commands, LkGpuCommand, index).dispatch;
  VkDescriptorBufferInfo buffers[LK_GPU_MAX_BINDINGS];
  const VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorPool = self->descriptors,
    .descriptorSetCount = 1,
    .pSetLayouts = &self->device->set_layouts[dispatch->n_bindings],
  };
  VkWriteDescriptorSet write = {
    .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
    .descriptorCount = dispatch->n_bindings,
    .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
    .pBufferInfo = buffers,
  };
  VkResult result = vkAllocateDescriptorSets (self->device->device, &info, &self->sets[index]);

  if (result != VK_SUCCESS)
    return result;
  for (guint i = 0; i < dispatch->n_bindings; i++)
    {
      LkGpuSlice s = dispatch->bindings[i].slice;
      buffers[i] = (VkDescriptorBufferInfo){ s.buffer->buffer, s.offset, s.size };
    }
  write.dstSet = self->sets[index];
  vkUpdateDescriptorSets (self->device->device, 1, &write, 0, NULL);
  return VK_SUCCESS;
}

static void
record_command (LkGpuRecording *self, VkCommandBuffer commands, guint index)
{
  const LkGpuCommand *command = &g_array_index (self->commands, LkGpuCommand, index);
  const LkGpuDispatch *d = &command->dispatch;
  LkGpuSlice a = d->bindings[0].slice, b = d->bindings[1].slice;
  VkPipelineLayout layout = self->device->layouts[d->n_bindings];
  VkBufferCopy region;

  switch (command->kind)
    {
    case LK_GPU_COMMAND_DISPATCH:
      vkCmdBindPipeline (commands, VK_PIPELINE_BIND_POINT_COMPUTE, command->pipeline);
      vkCmdBindDescriptorSets (commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &self->sets[index], 0,
                               NULL);
      if (d->push_size)
        vkCmdPushConstants (commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, d->push_size, d->push);
      vkCmdDispatch (commands, d->groups[0], d->groups[1], d->groups[2]);
      break;
    case LK_GPU_COMMAND_FILL:
      vkCmdFillBuffer (commands, a.buffer->buffer, a.offset, a.size, command->value);
      break;
    case LK_GPU_COMMAND_COPY:
      region = (VkBufferCopy){ a.offset, b.offset, a.size };
      vkCmdCopyBuffer (commands, a.buffer->buffer, b.buffer->buffer, 1, &region);
      break;
    }
}

/* Where the submission that starts at @begin ends. */
static guint
find_end (LkGpuRecording *self, guint begin, double *seconds)
{
  double target = target_seconds (self);
  guint end = begin;

  *seconds = 0;
  while (end < self->commands->len)
    {
      double next = estimate (self, &g_array_index (self->commands, LkGpuCommand, end).dispatch);
      if (end > begin && *seconds + next > target)
        break;
      *seconds += next;
      end++;
    }
  return end;
}

static guint
first_command_query (LkGpuRecording *self)
{
  /* There are never more submissions than commands. */
  return 2 * MAX (self->commands->len, 1);
}

static VkResult
record_submission (LkGpuRecording *self, guint begin, guint end, GArray *touched)
{
  const VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
  const VkCommandBufferAllocateInfo allocate = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = self->pool,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  const guint number = self->submissions->len;
  const guint query = first_command_query (self);
  VkCommandBuffer commands;
  VkResult result = vkAllocateCommandBuffers (self->device->device, &allocate, &commands);

  if (result != VK_SUCCESS)
    return result;
  g_array_append_val (self->submissions, commands);
  result = vkBeginCommandBuffer (commands, &info);
  if (result != VK_SUCCESS)
    return result;
  /* A submission sees all before it, so that replays and uploads need no further thought. */
  lk_gpu_barrier (commands, FALSE);
  g_array_set_size (touched, 0);
  if (self->queries)
    {
      vkCmdResetQueryPool (commands, self->queries, 2 * number, 2);
      if (self->profiling)
        vkCmdResetQueryPool (commands, self->queries, query + 2 * begin, 2 * (end - begin));
      vkCmdWriteTimestamp (commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, self->queries, 2 * number);
    }
  for (guint i = begin; i < end; i++)
    {
      const LkGpuDispatch *dispatch = &g_array_index (self->commands, LkGpuCommand, i).dispatch;
      gboolean timed = self->profiling && self->queries;
      if (timed || conflicts (touched, dispatch))
        {
          order (commands);
          self->n_barriers++;
          g_array_set_size (touched, 0);
        }
      if (timed)
        vkCmdWriteTimestamp (commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, self->queries, query + 2 * i);
      record_command (self, commands, i);
      touch (touched, dispatch);
      if (timed)
        vkCmdWriteTimestamp (commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, self->queries,
                             query + 2 * i + 1);
    }
  if (self->queries)
    vkCmdWriteTimestamp (commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, self->queries, 2 * number + 1);
  lk_gpu_barrier (commands, TRUE);
  return vkEndCommandBuffer (commands);
}

static VkResult
make_pools (LkGpuRecording *self)
{
  const VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = self->device->plan.queue_family,
  };
  const VkQueryPoolCreateInfo queries = {
    .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
    .queryType = VK_QUERY_TYPE_TIMESTAMP,
    .queryCount = first_command_query (self) + (self->profiling ? 2 * self->commands->len : 0),
  };
  VkResult result = vkCreateCommandPool (self->device->device, &pool, NULL, &self->pool);

  if (result == VK_SUCCESS && self->device->plan.timestamps)
    result = vkCreateQueryPool (self->device->device, &queries, NULL, &self->queries);
  if (result == VK_SUCCESS)
    result = make_descriptors (self);
  for (guint i = 0; result == VK_SUCCESS && i < self->commands->len; i++)
    if (g_array_index (self->commands, LkGpuCommand, i).kind == LK_GPU_COMMAND_DISPATCH)
      result = make_set (self, i);
  return result;
}

/* Splits and records the commands; may be called again when the device's pace is better known. */
static gboolean
record (LkGpuRecording *self, GError **error)
{
  g_autoptr (GArray) touched = g_array_new (FALSE, FALSE, sizeof (Touched));
  VkResult result = vkResetCommandPool (self->device->device, self->pool, 0);

  if (self->submissions->len)
    vkFreeCommandBuffers (self->device->device, self->pool, self->submissions->len,
                          (VkCommandBuffer *) (void *) self->submissions->data);
  g_array_set_size (self->submissions, 0);
  g_array_set_size (self->estimates, 0);
  self->n_barriers = 0;
  for (guint begin = 0, end; result == VK_SUCCESS && begin < self->commands->len; begin = end)
    {
      double seconds;
      end = find_end (self, begin, &seconds);
      g_array_append_val (self->estimates, seconds);
      result = record_submission (self, begin, end, touched);
    }
  self->too_long = FALSE;
  return result == VK_SUCCESS || lk_gpu_device_fail (self->device, error, result, "Could not record work");
}

LkGpuRecording *
lk_gpu_recording_new (LkGpuDevice *device, GArray *commands, gboolean profiling, GError **error)
{
  g_autoptr (LkGpuRecording) self = g_new0 (LkGpuRecording, 1);
  VkResult result;

  self->device = lk_gpu_device_ref (device);
  self->commands = commands;
  self->profiling = profiling;
  self->submissions = g_array_new (FALSE, FALSE, sizeof (VkCommandBuffer));
  self->estimates = g_array_new (FALSE, FALSE, sizeof (double));
  self->sets = g_new0 (VkDescriptorSet, commands->len + 1);
  self->seconds = g_new0 (double, commands->len + 1);
  result = make_pools (self);
  if (result != VK_SUCCESS)
    {
      lk_gpu_device_fail (device, error, result, "Could not prepare the recording of work");
      return NULL;
    }
  return record (self, error) ? g_steal_pointer (&self) : NULL;
}

void
lk_gpu_recording_free (LkGpuRecording *self)
{
  VkDevice device;

  if (!self)
    return;
  device = self->device->device;
  if (!self->device->hung)
    {
      vkDestroyQueryPool (device, self->queries, NULL);
      vkDestroyDescriptorPool (device, self->descriptors, NULL);
      vkDestroyCommandPool (device, self->pool, NULL);
    }
  g_array_unref (self->commands);
  g_array_unref (self->submissions);
  g_array_unref (self->estimates);
  g_free (self->sets);
  g_free (self->seconds);
  lk_gpu_device_unref (self->device);
  g_free (self);
}

static gboolean
read_pair (LkGpuRecording *self, guint query, double *seconds)
{
  const LkDeviceSnapshot *s = &self->device->snapshot;
  guint bits = s->queue_families[self->device->plan.queue_family].timestamp_bits;
  guint64 mask = bits < 64 ? (G_GUINT64_CONSTANT (1) << bits) - 1 : G_MAXUINT64;
  guint64 ticks[2];

  if (vkGetQueryPoolResults (self->device->device, self->queries, query, 2, sizeof ticks, ticks,
                             sizeof ticks[0], VK_QUERY_RESULT_64_BIT)
      != VK_SUCCESS)
    return FALSE;
  *seconds = (double) ((ticks[1] - ticks[0]) & mask) * s->timestamp_period * 1e-9;
  return TRUE;
}

/* Learns how long estimated seconds really are. */
static void
learn (LkGpuRecording *self)
{
  LkGpuDevice *device = self->device;
  double total = 0, estimated = 0, one = 0;

  for (guint i = 0; i < self->submissions->len; i++)
    {
      if (!read_pair (self, 2 * i, &one))
        return;
      total += one;
      estimated += g_array_index (self->estimates, double, i);
      if (device->plan.submission_seconds > 0 && one > device->plan.submission_seconds)
        self->too_long = TRUE;
    }
  if (estimated > 0 && total > 0)
    device->pace = device->pace > 0 ? 0.5 * (device->pace + total / estimated) : total / estimated;
  for (guint i = 0; self->profiling && i < self->commands->len; i++)
    read_pair (self, first_command_query (self) + 2 * i, &self->seconds[i]);
}

gboolean
lk_gpu_recording_run (LkGpuRecording *self, GError **error)
{
  LkGpuDevice *device = self->device;
  guint64 first;

  if (!lk_gpu_device_check (device, error) || (self->too_long && !record (self, error)))
    return FALSE;
  first = device->submitted;
  for (guint i = 0; i < self->submissions->len; i++)
    if (!lk_gpu_device_submit (device, g_array_index (self->submissions, VkCommandBuffer, i), error))
      {
        lk_gpu_device_settle (device);
        return FALSE;
      }
  /* Each is waited for in its turn: a hang is noticed although the whole may rightly take long. */
  for (guint i = 0; i < self->submissions->len; i++)
    if (!lk_gpu_device_wait (device, first + 1 + i, device->plan.software ? 0 : LK_GPU_PATIENCE_SECONDS, error))
      return FALSE;
  if (self->queries && self->submissions->len)
    learn (self);
  self->has_run = TRUE;
  return TRUE;
}

guint
lk_gpu_recording_get_n_submissions (LkGpuRecording *self)
{
  return self->submissions->len;
}

guint
lk_gpu_recording_get_n_dispatches (LkGpuRecording *self)
{
  return self->n_dispatches;
}

guint
lk_gpu_recording_get_n_barriers (LkGpuRecording *self)
{
  return self->n_barriers;
}

GArray *
lk_gpu_recording_get_timings (LkGpuRecording *self)
{
  g_autoptr (GHashTable) places = g_hash_table_new (g_str_hash, g_str_equal);
  GArray *timings;

  if (!self->profiling || !self->queries || !self->has_run)
    return NULL;
  timings = g_array_new (FALSE, TRUE, sizeof (LkGpuTiming));
  for (guint i = 0; i < self->commands->len; i++)
    {
      const LkGpuDispatch *d = &g_array_index (self->commands, LkGpuCommand, i).dispatch;
      gpointer place = g_hash_table_lookup (places, d->label);
      LkGpuTiming *timing;
      if (!place)
        {
          g_array_set_size (timings, timings->len + 1);
          place = GUINT_TO_POINTER (timings->len);
          g_hash_table_insert (places, (gpointer) d->label, place);
        }
      timing = &g_array_index (timings, LkGpuTiming, GPOINTER_TO_UINT (place) - 1);
      timing->label = d->label;
      timing->count++;
      timing->seconds += self->seconds[i];
      timing->flops += d->flops;
      timing->bytes += d->bytes;
    }
  return timings;
}
