"""How well loops are seen by shipped rules and by Farthing's detector."""
