var herd = [];
