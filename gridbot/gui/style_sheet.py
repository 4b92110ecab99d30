"""How each kind of widget looks, as one style sheet made of a palette and the measures; it knows no widget by name.

Widgets choose by their `role` property (`parts.set_role`). What a person can focus has a ring of `focus`, 2 px wide.
"""

from __future__ import annotations

from gridbot.assets_folder import assets_folder
from gridbot.gui.measures import (
    CONTROL_HEIGHT,
    FIGURE,
    HEADING,
    RADIUS_CARD,
    RADIUS_CONTROL,
    SMALLER,
    TITLE,
    XS,
    L,
    M,
    S,
)
from gridbot.gui.palette import Colours

_FIELDS = "QLineEdit, QPlainTextEdit, QTextEdit, QTextBrowser, QComboBox, QAbstractSpinBox"
_INNER = CONTROL_HEIGHT - 10
"""The height of a control's text: what padding and border leave."""


def style_sheet(c: Colours, letters: int) -> str:
    """Return the style sheet; `letters` is the height of the desktop's letters in pixels."""
    parts = (
        _labels(c, letters),
        _buttons(c),
        _fields(c),
        _boxes(c),
        _tabs(c),
        _views(c, letters),
        _bars(c),
        _frames(c),
    )
    return "\n".join(parts)


def _labels(c: Colours, letters: int) -> str:
    badges = {
        "demo": (c.accent, c.accent_text, c.accent),
        "dry": (c.warning, c.warning_text, c.warning),
        "live": (c.base, c.text, c.danger),
        "green": (c.good, c.good_text, c.good),
        "yellow": (c.warning, c.warning_text, c.warning),
        "orange": (c.caution, c.caution_text, c.caution),
        "red": (c.danger, c.danger_text, c.danger),
        "black": ("#000000", "#ffffff", c.muted),
        "tag": (c.button, c.text, c.border),
    }
    names = ", ".join(f'QLabel[role="{name}"]' for name in badges)
    each = "\n".join(
        f'QLabel[role="{name}"] {{ background: {ground}; color: {ink}; border: 1px solid {edge}; }}'
        for name, (ground, ink, edge) in badges.items()
    )
    return f"""
{names} {{ border-radius: {RADIUS_CONTROL}px; padding: {XS}px {M}px; font-weight: 600; }}
{each}
QLabel[role="live"] {{ border: 2px solid {c.danger}; }}
QLabel[role="tag"] {{ padding: 1px {S}px; font-weight: 400; }}
QLabel[role="muted"] {{ color: {c.muted}; }}
QLabel[role="note"] {{ color: {c.muted}; font-size: {letters + SMALLER}px; }}
QLabel[role="error"] {{ color: {c.error}; }}
QLabel[role="notice"] {{ color: {c.notice}; }}
QLabel[role="heading"] {{ font-weight: 600; font-size: {letters + HEADING}px; }}
QLabel[role="title"] {{ font-weight: 600; font-size: {letters + TITLE}px; }}
QLabel[role="figure"] {{ font-size: {letters + FIGURE}px; font-weight: 600; }}
"""


def _buttons(c: Colours) -> str:
    return f"""
QPushButton, QToolButton {{ background: {c.button}; color: {c.text}; border: 1px solid {c.outline};
    border-radius: {RADIUS_CONTROL}px; padding: {XS}px {M}px; min-height: {_INNER}px; }}
QToolButton {{ padding: {XS}px {S}px; }}
QPushButton:hover, QToolButton:hover {{ background: {c.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {c.grid}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {c.muted}; border-color: {c.border}; background: {c.window}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {c.focus}; padding: 3px 11px; }}
QPushButton:default {{ border: 2px solid {c.focus}; padding: 3px 11px; }}
QPushButton[role="primary"] {{ background: {c.accent}; color: {c.accent_text}; font-weight: 600;
    border-color: {c.accent}; }}
QPushButton[role="primary"]:hover {{ background: {c.accent_hover}; }}
QPushButton[role="primary"]:disabled {{ background: {c.button}; color: {c.muted}; border-color: {c.border}; }}
QPushButton[role="primary"]:focus {{ border-color: {c.ring}; }}
QPushButton[role="danger"] {{ color: {c.error}; border-color: {c.error}; }}
QPushButton[role="danger"]:disabled {{ color: {c.muted}; border-color: {c.border}; }}
QPushButton[role="quiet"], QToolButton[role="quiet"] {{ background: transparent; border-color: transparent; }}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {c.hover}; }}
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus {{ border-color: {c.focus}; }}
QPushButton[role="toggle"] {{ padding: {XS}px {S}px; }}
QPushButton[role="toggle"]:focus, QPushButton[role="chip"]:focus {{ padding: 3px 7px; }}
QPushButton[role="chip"] {{ padding: 1px {M}px; border-radius: {_INNER // 2 + 2}px; background: {c.base}; }}
QPushButton[role="chip"]:focus {{ padding: 0 11px; }}
QPushButton[role="toggle"]:checked, QPushButton[role="chip"]:checked {{ background: {c.accent};
    color: {c.accent_text}; border-color: {c.accent}; }}
QPushButton[role="toggle"]:checked:focus, QPushButton[role="chip"]:checked:focus {{ border-color: {c.ring}; }}
QPushButton[role="toggle"]:disabled {{ color: {c.muted}; }}
QPushButton[role="stop"], QPushButton[role="stop"]:disabled {{ background: {c.danger}; color: {c.danger_text};
    font-weight: 700; border: 2px solid {c.danger}; padding: {XS}px {L}px; min-height: {_INNER + 2}px; }}
QPushButton[role="stop"]:hover {{ background: {c.danger_hover}; }}
QPushButton[role="stop"]:pressed, QPushButton[role="stop"]:focus {{ border-color: {c.ring}; padding: {XS}px {L}px; }}
"""


def _fields(c: Colours) -> str:
    kind = "dark" if c.dark else "light"
    sheet = (assets_folder() / "icons" / "sheet").as_posix()
    focused = ", ".join(f"{each}:focus" for each in _FIELDS.split(", "))
    unusable = ", ".join(f"{each}:disabled" for each in _FIELDS.split(", "))
    wrong = ", ".join(f'{each}[wrong="true"]' for each in _FIELDS.split(", "))
    return f"""
{_FIELDS} {{ background: {c.base}; color: {c.text}; border: 1px solid {c.outline};
    border-radius: {RADIUS_CONTROL}px; selection-background-color: {c.accent}; selection-color: {c.accent_text}; }}
QLineEdit, QPlainTextEdit, QTextEdit {{ placeholder-text-color: {c.muted}; }}
QLineEdit, QComboBox, QAbstractSpinBox {{ padding: {XS}px {S}px; min-height: {_INNER}px; }}
{focused} {{ border: 2px solid {c.focus}; }}
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ padding: 3px 7px; }}
{unusable} {{ color: {c.muted}; background: {c.window}; border-color: {c.border}; }}
QLineEdit:read-only {{ background: {c.window}; }}
{wrong} {{ border: 2px solid {c.error}; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"] {{ padding: 3px 7px; }}
QComboBox QLineEdit, QComboBox QLineEdit:focus {{ border: 0; padding: 0; min-height: 0; background: transparent; }}
QComboBox::drop-down {{ border: 0; width: 22px; }}
QComboBox::down-arrow {{ image: url("{sheet}/down-{kind}.svg"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {c.base}; border: 1px solid {c.outline}; padding: 2px; outline: 0; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: 0; width: 20px; background: transparent; }}
QAbstractSpinBox::up-arrow {{ image: url("{sheet}/up-{kind}.svg"); width: 10px; height: 10px; }}
QAbstractSpinBox::down-arrow, QDateEdit::down-arrow, QDateTimeEdit::down-arrow {{
    image: url("{sheet}/down-{kind}.svg"); width: 10px; height: 10px; }}
QDateEdit::drop-down, QDateTimeEdit::drop-down {{ border: 0; width: 22px; }}
QCheckBox, QRadioButton {{ spacing: {S}px; min-height: {_INNER}px; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {c.outline};
    background: {c.base}; }}
QCheckBox::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; image: url("{sheet}/check.svg"); }}
QRadioButton::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; image: url("{sheet}/dot.svg"); }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {c.border}; background: {c.window}; }}
QCheckBox::indicator:checked:disabled, QRadioButton::indicator:checked:disabled {{ background: {c.outline}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border: 2px solid {c.focus}; width: 12px; height: 12px; }}
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus {{ border-color: {c.ring}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {c.muted}; }}
"""


def _boxes(c: Colours) -> str:
    return f"""
QFrame[role="card"] {{ background: {c.base}; border: 1px solid {c.border}; border-radius: {RADIUS_CARD}px; }}
QFrame[role="bar"] {{ background: {c.base}; border: 0; border-bottom: 1px solid {c.border}; }}
QFrame[role="stopped"] {{ background: {c.danger}; border-radius: {RADIUS_CONTROL}px; }}
QFrame[role="stopped"] QLabel {{ color: {c.danger_text}; font-weight: 600; }}
QFrame[role="problem"] {{ background: {c.warning}; border-radius: {RADIUS_CONTROL}px; }}
QFrame[role="problem"] QLabel {{ color: {c.warning_text}; }}
QFrame[role="told"] {{ background: {c.selection}; border-radius: {RADIUS_CONTROL}px; }}
QFrame[role="told"] QLabel {{ color: {c.text}; }}
QGroupBox {{ border: 1px solid {c.border}; border-radius: {RADIUS_CARD}px; margin-top: 9px; padding-top: {S}px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: {M}px; padding: 0 {XS}px; color: {c.muted}; }}
"""


def _tabs(c: Colours) -> str:
    return f"""
QTabWidget::pane {{ border: 0; border-top: 1px solid {c.border}; top: -1px; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {c.muted}; border: 0; border-bottom: 2px solid transparent;
    padding: {S}px {M}px {S - 2}px {M}px; margin: 0 2px; }}
QTabBar::tab:hover {{ color: {c.text}; background: {c.hover}; }}
QTabBar::tab:selected {{ color: {c.text}; border-bottom: 2px solid {c.focus}; }}
QTabBar::tab:selected:focus {{ background: {c.selection}; }}
"""


def _views(c: Colours, letters: int) -> str:
    kind, sheet = "dark" if c.dark else "light", (assets_folder() / "icons" / "sheet").as_posix()
    return f"""
QTableView, QListView, QTreeView {{ background: {c.base}; alternate-background-color: {c.alternate};
    border: 1px solid {c.border}; gridline-color: {c.grid}; selection-background-color: {c.selection};
    selection-color: {c.text}; outline: 0; }}
QTableView:focus, QListView:focus, QTreeView:focus {{ border: 1px solid {c.focus}; }}
QTableView::item {{ padding: 0 {S - 2}px; }}
QTableView::item:selected, QListView::item:selected {{ background: {c.selection}; color: {c.text}; }}
QListWidget::item {{ padding: {XS + 1}px {S}px; border-radius: {XS}px; }}
QListWidget::item:hover {{ background: {c.hover}; }}
QListWidget::item:selected {{ background: {c.selection}; color: {c.text}; }}
QListWidget::item:selected:focus {{ border: 1px solid {c.focus}; }}
QHeaderView {{ background: {c.base}; border: 0; }}
QHeaderView::section {{ background: {c.base}; color: {c.muted}; border: 0; border-bottom: 1px solid {c.border};
    padding: {XS + 1}px {S}px; font-size: {letters}px; font-weight: 600; }}
QHeaderView::section:hover {{ color: {c.text}; background: {c.hover}; }}
QHeaderView::up-arrow, QHeaderView::down-arrow {{ subcontrol-origin: padding; subcontrol-position: top center;
    width: 10px; height: 9px; }}
QHeaderView::up-arrow {{ image: url("{sheet}/up-{kind}.svg"); }}
QHeaderView::down-arrow {{ image: url("{sheet}/down-{kind}.svg"); }}
QTableCornerButton::section {{ background: {c.base}; border: 0; }}
"""


def _bars(c: Colours) -> str:
    return f"""
QScrollArea {{ border: 0; background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {c.outline}; border-radius: 3px; margin: 3px; }}
QScrollBar::handle:vertical {{ min-height: 30px; }}
QScrollBar::handle:horizontal {{ min-width: 30px; }}
QScrollBar::handle:hover {{ background: {c.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QAbstractScrollArea::corner {{ background: transparent; border: 0; }}
QSplitter::handle {{ background: transparent; }}
QSplitter::handle:hover {{ background: {c.border}; }}
QSplitter::handle:pressed {{ background: {c.focus}; }}
QProgressBar {{ background: {c.grid}; border: 0; border-radius: 3px; text-align: center; color: {c.text}; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 3px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {c.border}; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {c.accent}; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {c.ring}; width: 12px; height: 12px; }}
"""


def _frames(c: Colours) -> str:
    return f"""
QToolTip {{ background: {c.tip}; color: {c.tip_text}; border: 1px solid {c.outline}; padding: {XS}px {S}px; }}
QMenu {{ background: {c.base}; color: {c.text}; border: 1px solid {c.outline}; padding: {XS}px; }}
QMenu::item {{ padding: {XS + 1}px {L}px; border-radius: {XS}px; }}
QMenu::item:selected {{ background: {c.selection}; color: {c.text}; }}
QMenu::item:disabled {{ color: {c.muted}; }}
QMenu::separator {{ height: 1px; background: {c.border}; margin: {XS}px {S}px; }}
QMenu::icon {{ padding-left: {S}px; }}
QStatusBar {{ background: {c.window}; color: {c.muted}; }}
QStatusBar::item {{ border: 0; }}
"""
