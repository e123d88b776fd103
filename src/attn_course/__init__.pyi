"""What `lazy_loader` lends, for type checkers."""

from attn_course import data as data
from attn_course import figures as figures
from attn_course import flash as flash
from attn_course import lab as lab
from attn_course import masks as masks
from attn_course import pretrained as pretrained
from attn_course import widgets as widgets
from attn_course.functional import additive_weights as additive_weights
from attn_course.functional import attention as attention
from attn_course.functional import attention_weights as attention_weights

__version__: str
