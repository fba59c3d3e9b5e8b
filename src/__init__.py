"""Watch and control the live browser sessions of HoloViz Panel applications."""
