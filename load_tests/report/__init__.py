"""What a run leaves behind: the summary on the screen, and the folder with everything."""
