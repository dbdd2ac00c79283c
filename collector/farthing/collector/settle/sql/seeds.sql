SELECT arrayJoin([span, parent, answer, likeness]) FROM tellings WHERE load = {{load}} AND entry = 'span'
