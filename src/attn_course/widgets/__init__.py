"""The widgets of the course: they compute in the reader's browser.

Each is an anywidget, so its traits can be read, set, observed and linked in
a notebook; and each is an HTML element with its data inside, so the website
shows it alive without a kernel.
"""

from attn_course.widgets.cocktail import CocktailParty
from attn_course.widgets.curves import RecordedCurves
from attn_course.widgets.flash import FlashStepper
from attn_course.widgets.gaze import GazeExplorer
from attn_course.widgets.heads import HeadBrowser
from attn_course.widgets.heatmap import AttentionHeatmap
from attn_course.widgets.kvcache import KVCacheMeter
from attn_course.widgets.mask import MaskDesigner
from attn_course.widgets.qkv import QKVPlayground
from attn_course.widgets.sentence import TypeASentence
from attn_course.widgets.softmaxlab import SoftmaxLab
from attn_course.widgets.switches import HeadSwitches

__all__ = [
    "AttentionHeatmap",
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
