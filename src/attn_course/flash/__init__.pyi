"""What `lazy_loader` lends, for type checkers."""

from attn_course.flash import bench as bench
from attn_course.flash import cards as cards
from attn_course.flash import softmax as softmax
from attn_course.flash import steps as steps
from attn_course.flash import traffic as traffic
from attn_course.flash.fast import flash_attention as flash_attention
from attn_course.flash.fast import (
    flash_attention_backward as flash_attention_backward,
)
from attn_course.flash.gpu import triton_attention as triton_attention
from attn_course.flash.gpu import triton_status as triton_status
from attn_course.flash.gpu import use_interpreter as use_interpreter
from attn_course.flash.memory import ChipFull as ChipFull
from attn_course.flash.memory import SlowMemory as SlowMemory
from attn_course.flash.naive import naive_attention as naive_attention
from attn_course.flash.naive import (
    naive_attention_in_place as naive_attention_in_place,
)
from attn_course.flash.requested import count_requests as count_requests
from attn_course.flash.requested import requested_bytes as requested_bytes
from attn_course.flash.softmax import EMPTY as EMPTY
from attn_course.flash.softmax import State as State
from attn_course.flash.softmax import merge as merge
from attn_course.flash.softmax import naive_softmax as naive_softmax
from attn_course.flash.softmax import online_attention as online_attention
from attn_course.flash.softmax import online_softmax as online_softmax
from attn_course.flash.softmax import safe_softmax as safe_softmax
from attn_course.flash.softmax import state_of as state_of
from attn_course.flash.softmax import update as update
from attn_course.flash.tiled import tiled_attention as tiled_attention
from attn_course.flash.tiled import (
    tiled_attention_by_query as tiled_attention_by_query,
)
from attn_course.flash.tiled import tiled_backward as tiled_backward
