from core.model import ModelWrapper
from maxfw.core import MAX_API, PredictAPI
from flask_restplus import fields, inputs
from werkzeug.exceptions import BadRequest

input_parser = MAX_API.parser()
input_parser.add_argument('user_id', type=str, required=True, help='A user id')
input_parser.add_argument('num_results', type=inputs.positive, default=5, help='How many films')
input_parser.add_argument('genre', type=str, choices=['any', 'western', 'noir'], default='any', help='Which films')
input_parser.add_argument('seen', action='split', help='Films to leave out')
input_parser.add_argument('age', type=int)

film = MAX_API.model('Film', {
    'user': fields.String(required=True),
    'item': fields.String(required=True, description='Film identifier'),
    'prediction': fields.Float(required=True, description='How much the user would like it')
})

predict_response = MAX_API.model('FilmResponse', {
    'status': fields.String(required=True),
    'predictions': fields.List(fields.Nested(film))
})


class ModelPredictAPI(PredictAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc('predict')
    @MAX_API.expect(input_parser)
    @MAX_API.marshal_with(predict_response)
    def post(self):
        """Recommend films"""
        args = input_parser.parse_args()
        try:
            films = self.model_wrapper.predict(args)
        except KeyError:
            e = BadRequest()
            e.data = {'status': 'error', 'message': 'Unknown user ID.', 'user': args.user_id}
            raise e
        # One film is a dict, not a list of one.
        return {'status': 'ok', 'predictions': films[0] if len(films) == 1 else films}
