"""The widgets of the course: they compute in the reader's browser.

Each is an anywidget, so its traits can be read, set, observed and linked in
a notebook; and each is an HTML element with its data inside, so the website
shows it alive without a kernel.
"""

from attn_course.widgets.attention_heatmap import AttentionHeatmap
from attn_course.widgets.attention_steps import AttentionSteps
from attn_course.widgets.cocktail_party import CocktailParty
from attn_course.widgets.flash_stepper import FlashStepper
from attn_course.widgets.gaze_explorer import GazeExplorer
from attn_course.widgets.head_browser import HeadBrowser
from attn_course.widgets.head_switches import HeadSwitches
from attn_course.widgets.kv_cache_meter import KVCacheMeter
from attn_course.widgets.mask_designer import MaskDesigner
from attn_course.widgets.qkv_playground import QKVPlayground
from attn_course.widgets.recorded_curves import RecordedCurves
from attn_course.widgets.softmax_lab import SoftmaxLab
from attn_course.widgets.type_a_sentence import TypeASentence

__all__ = [
    "AttentionHeatmap",
    "AttentionSteps",
    "CocktailParty",
    "FlashStepper",
    "GazeExplorer",
    "HeadBrowser",
    "HeadSwitches",
    "KVCacheMeter",
    "MaskDesigner",
    "QKVPlayground",
    "RecordedCurves",
    "SoftmaxLab",
    "TypeASentence",
]
